package planner

import (
	"slices"

	"github.com/flotobuild/flotobuild/lang"
)

// isEnvelope says that a plain address is that of an envelope, or of all of a
// block with instances.
func (c *chooser) isEnvelope(address string) bool {
	return slices.ContainsFunc(c.cfg.Envelopes, func(e *lang.Envelope) bool { return covers(address, plain(e.Address())) })
}

func named(addresses []string, e *lang.Envelope) bool {
	return slices.ContainsFunc(addresses, func(a string) bool { return covers(plain(a), plain(e.Address())) })
}

func (c *chooser) carriesExcluded(s Selection, site *lang.Site) bool {
	return slices.ContainsFunc(site.Envelopes, func(e *lang.Envelope) bool { return named(s.Excludes, e) })
}

// selectEnvelopes keeps the envelopes that are chosen, and those that chosen
// sites carry.
func (c *chooser) selectEnvelopes(s Selection, out *lang.Config) {
	out.Envelopes, out.UnselectedEnvelopes = nil, slices.Clone(c.cfg.UnselectedEnvelopes)
	for _, e := range c.cfg.Envelopes {
		carried := slices.ContainsFunc(out.Sites, func(site *lang.Site) bool { return slices.Contains(site.Envelopes, e) })
		chosen := (len(s.Targets) == 0 || named(s.Targets, e)) && !named(s.Excludes, e)
		if carried || chosen {
			out.Envelopes = append(out.Envelopes, e)
		} else {
			out.UnselectedEnvelopes = append(out.UnselectedEnvelopes, e)
		}
	}
}
