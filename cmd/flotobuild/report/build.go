package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

// Options are what a plan does not hold itself.
type Options struct {
	Variables []planner.PlanVariable
}

// New puts a plan in words. Equal plans and options give equal reports.
func New(p *planner.Plan, o Options) *Report {
	r := &Report{
		Tool: plain(p.ToolVersion), Revision: plain(p.Project.Revision), Timestamp: plain(p.Project.Timestamp),
		Partial: plain(Partial(p)),
	}
	for _, v := range o.Variables {
		value := plain(v.Value)
		if v.Sensitive {
			value = hidden
		}
		r.Variables = append(r.Variables, Variable{plain(v.Name), value, plain(v.Origin)})
	}
	if len(p.LockChanges) > 0 {
		r.LockTitle = lang.LockFile + " has changed; commit it:"
	}
	for _, c := range p.LockChanges {
		r.Lock = append(r.Lock, Entry{c.Change, plain(lockChange(c))})
	}
	if !Changes(p) {
		r.Verdict = whyUnchanged(p)
	}
	r.Warnings = warnings(p)
	var sites []*Site
	for _, s := range p.Sites {
		sites = append(sites, siteOf(p, s))
	}
	r.Sites = fold(sites)
	for _, e := range p.Envelopes {
		r.Envelopes = append(r.Envelopes, envelopeOf(e))
	}
	r.Volumes, r.Strays = volumesOf(p), straysOf(p)
	r.images(p)
	r.totals(p)
	return r
}

// Partial says that a plan is about some sites only; empty where it is about all.
func Partial(p *planner.Plan) string {
	var flags []string
	for _, t := range p.Targets {
		flags = append(flags, "-target "+t)
	}
	for _, e := range p.Excludes {
		flags = append(flags, "-exclude "+e)
	}
	if len(flags) == 0 {
		return ""
	}
	return fmt.Sprintf("the plan is partial, for %s: other sites were not looked at", strings.Join(flags, " "))
}

// whyUnchanged tells builds that made nothing new from having had to build
// nothing.
func whyUnchanged(p *planner.Plan) string {
	for _, s := range p.Sites {
		if slices.ContainsFunc(s.Images, func(c planner.ImageChange) bool { return c.Made() }) {
			return "The builds gave what the sites have already."
		}
	}
	switch {
	case Partial(p) != "" && len(p.Envelopes) > 0:
		return "The selected sites and envelopes are as the configuration says."
	case Partial(p) != "":
		return "The selected sites have what the configuration says."
	case len(p.Envelopes) == 0:
		return "Every site has what the configuration says."
	case len(p.Sites) == 0:
		return "Every device has what the configuration says."
	}
	return "Every site and every device has what the configuration says."
}

// warnings are about the plan as a whole.
func warnings(p *planner.Plan) []string {
	var out []string
	if p.Project.Dirty {
		out = append(out, plain("the project folder has uncommitted changes; the patches' revision says so: "+p.Project.Revision))
	}
	bad := 0
	for _, s := range p.Sites {
		if slices.ContainsFunc(s.Policy, func(o planner.PolicyOutcome) bool { return o.Outcome == planner.PolicyViolated }) {
			bad++
		}
	}
	if bad > 0 {
		out = append(out, "policies are violated at "+Count(bad, "site")+": this plan cannot be applied")
	}
	if text := Partial(p); text != "" {
		out = append(out, plain(text))
	}
	return out
}

func lockChange(c planner.LockChange) string {
	out := c.Source
	switch {
	case c.OldConstraint != c.Constraint && c.Change == planner.ChangeUpdate:
		out += " (" + c.OldConstraint + " → " + c.Constraint + ")"
	case c.Constraint != "":
		out += " (" + c.Constraint + ")"
	}
	out += ":"
	if c.OldVersion != "" || c.NewVersion != "" {
		out += " " + fromTo(c.OldVersion, c.NewVersion) + ","
	}
	return out + " " + fromTo(shortDigest(c.OldDigest.String()), shortDigest(c.NewDigest.String()))
}

// images tells of the images that are made, and of sites that share them.
func (r *Report) images(p *planner.Plan) {
	carried := carriers(p)
	for _, i := range p.Images {
		if i.Action == planner.ActionReuse {
			continue
		}
		m := Made{Address: plain(i.Address), Action: "made", Size: after, Why: reasons(i.Reasons)}
		if n := slices.IndexFunc(i.Reasons, func(r planner.Reason) bool { return r.Input == planner.InputNew }); n >= 0 {
			m.Why[n] = "a site has no image of this name yet"
		}
		if i.Action == planner.ActionBase {
			m.Action, m.Size = "made for other images only", ""
			if len(i.Reasons) > 0 {
				m.For = plain(i.Reasons[0].New)
			}
		}
		if c := carried[i.Address]; c != nil && i.Action == planner.ActionMake {
			m.Sites, m.Bytes, m.Layers, m.Carried = c.sites, c.image.Bytes, c.image.Layers, true
			if c.image.Built {
				m.Size = Bytes(m.Bytes)
			} else if m.Bytes > 0 {
				m.Size = estimate(m.Bytes)
			}
		}
		r.Images = append(r.Images, m)
		if len(i.Diverging) > 0 {
			d := Diverging{Address: m.Address}
			for _, s := range i.Diverging {
				d.Sites = append(d.Sites, plain(s.Site)+" has "+shortDigest(s.ID.String()))
			}
			r.Diverging = append(r.Diverging, d)
		}
	}
}

// A carrier is how the site that lacks most of an image gets it.
type carrier struct {
	image *Image
	sites int
}

func carriers(p *planner.Plan) map[string]*carrier {
	most := make(map[string]*planner.ImageChange)
	sites := make(map[string]int)
	for _, s := range p.Sites {
		for n := range s.Images {
			c := &s.Images[n]
			if s.Change == planner.ChangeNone || !c.Made() {
				continue
			}
			sites[c.Address]++
			if most[c.Address] == nil || c.NewSize > most[c.Address].NewSize {
				most[c.Address] = c
			}
		}
	}
	out := make(map[string]*carrier, len(most))
	for address, c := range most {
		out[address] = &carrier{imageOf(c), sites[address]}
	}
	return out
}
