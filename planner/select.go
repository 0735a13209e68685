package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/lang"
)

// A Selection chooses sites by addresses, as -target and -exclude take them.
//
// An address names a site (site.hamburg), an instance (site.fleet["a"]), an image
// (image_set.plant.image.historian), or all of a block with instances, of an image
// set, an envelope (envelope.tuning), or of a module (site.fleet, image_set.plant, module.line). As a patch is
// always whole for its site, an image stands for the sites that carry it or an
// image that is built on it. The envelopes that a chosen site carries are chosen
// with it; an envelope as a target stands for itself, and as an exclude for the
// sites that carry it, too.
type Selection struct {
	Targets  []string // the sites to plan; all where there are none
	Excludes []string // of these, the ones to leave out
}

// Empty says that all sites are chosen.
func (s Selection) Empty() bool { return len(s.Targets) == 0 && len(s.Excludes) == 0 }

// A SelectionError is an address that names nothing, or a selection that
// leaves nothing.
type SelectionError struct {
	Message string
	Hint    string // how to mend it
}

// Error says what is wrong.
func (e *SelectionError) Error() string { return e.Message }

// Select gives the configuration with the chosen sites only. The others become
// Unselected: their outputs and names stay known, and nothing else of them is
// looked at. An error is a *SelectionError.
func Select(cfg *lang.Config, s Selection) (*lang.Config, error) {
	if s.Empty() {
		return cfg, nil
	}
	c := &chooser{cfg: cfg, sites: make(map[*lang.Site][]string)}
	for _, site := range cfg.Sites {
		c.sites[site] = append(reached(site), plain(site.Address()))
	}
	wanted, err := c.match("-target", s.Targets)
	if err != nil {
		return nil, err
	}
	unwanted, err := c.match("-exclude", s.Excludes)
	if err != nil {
		return nil, err
	}
	out := *cfg
	out.Sites, out.Unselected = nil, slices.Clone(cfg.Unselected)
	for _, site := range cfg.Sites {
		if (len(s.Targets) == 0 || wanted[site]) && !unwanted[site] && !c.carriesExcluded(s, site) {
			out.Sites = append(out.Sites, site)
		} else {
			out.Unselected = append(out.Unselected, site)
		}
	}
	c.selectEnvelopes(s, &out)
	if len(out.Sites) == 0 && len(out.Envelopes) == 0 {
		return nil, &SelectionError{"-target and -exclude leave no site", "leave out an -exclude, or name other addresses"}
	}
	return &out, nil
}

type chooser struct {
	cfg   *lang.Config
	sites map[*lang.Site][]string // the plain addresses that each is chosen by
}

// match finds the sites behind addresses.
func (c *chooser) match(flag string, addresses []string) (map[*lang.Site]bool, error) {
	out := make(map[*lang.Site]bool)
	for _, a := range addresses {
		found, address := false, plain(a)
		for site, all := range c.sites {
			if slices.ContainsFunc(all, func(have string) bool { return covers(address, have) }) {
				out[site], found = true, true
			}
		}
		if !found && !c.isEnvelope(address) {
			return nil, c.unknown(flag, a)
		}
	}
	return out, nil
}

// unknown tells an address that no site needs from one that does not exist.
func (c *chooser) unknown(flag, address string) error {
	var known []string
	for _, set := range c.cfg.ImageSets {
		for _, i := range set.Images {
			if covers(plain(address), plain(i.Address())) {
				return &SelectionError{
					fmt.Sprintf("cannot select by %s %s: no site carries it, nor an image built on it", flag, address),
					"name a site, or an image that a container of a site uses",
				}
			}
			known = append(known, i.Address())
		}
	}
	for _, e := range c.cfg.Envelopes {
		known = append(known, e.Address())
	}
	for _, s := range c.cfg.Sites {
		known = append(known, s.Address())
	}
	hint := strings.TrimSpace(lang.DidYouMean(address, known))
	if hint == "" {
		hint = `write an address such as site.NAME, site.NAME["KEY"] or image_set.SET.image.NAME`
	}
	return &SelectionError{fmt.Sprintf("cannot select by %s: there is no %q in the configuration", flag, address), hint}
}

// plain writes an address without brackets: as in references, .KEY is as good as
// ["KEY"].
func plain(address string) string {
	if !strings.Contains(address, "[") {
		return address
	}
	return strings.NewReplacer(`["`, ".", `"]`, "").Replace(address)
}

// covers says whether a plain address is have, or all of what have is a part of.
func covers(address, have string) bool {
	rest, ok := strings.CutPrefix(have, address)
	return ok && address != "" && (rest == "" || rest[0] == '.')
}

// reached lists the plain addresses of the images that a site carries, and of those
// that they are built on.
func reached(s *lang.Site) []string {
	seen := make(map[*lang.Image]bool)
	queue := s.Images()
	var out []string
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		if seen[i] {
			continue
		}
		seen[i] = true
		out = append(out, plain(i.Address()))
		if i.Build == nil {
			continue
		}
		for _, c := range i.Build.Contexts {
			if c.Image != nil {
				queue = append(queue, c.Image)
			}
		}
	}
	return out
}
