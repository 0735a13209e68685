package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/planner"
)

// A planRenderer writes a plan for people, in the form that users of Terraform
// know. It can be read without colour.
type planRenderer struct {
	plan   *planner.Plan
	color  bool
	detail bool // list every changed file

	b strings.Builder
}

func (r *planRenderer) render() string {
	r.lockFile()
	if !hasChanges(r.plan) {
		r.unchanged()
		return r.b.String()
	}
	r.line("")
	r.line("flotobuild will make patches as follows. The symbols stand for:")
	for _, change := range []string{planner.ChangeCreate, planner.ChangeUpdate, planner.ChangeRemove} {
		if r.uses(change) {
			r.line("  %s %s", r.symbol(change), change)
		}
	}
	for _, s := range r.plan.Sites {
		r.line("")
		r.site(s)
	}
	r.envelopes()
	r.line("")
	r.rebuilt()
	r.diverging()
	r.policies()
	r.line("%s %s", r.paint(bold, "Plan:"), r.footer()+r.footerEnvelopes())
	r.total()
	if text := partial(r.plan); text != "" {
		r.grey("# %s", safe(text))
	}
	return r.b.String()
}

func (r *planRenderer) unchanged() {
	r.line("%s %s", r.paint(green, "No changes."), r.whyUnchanged())
	for _, s := range r.plan.Sites {
		for _, p := range s.Parents {
			r.line("%s", r.paint(grey, fmt.Sprintf("  # %s has %s", s.Name, safe(p.ID))))
		}
	}
}

// whyUnchanged tells builds that made nothing new from having had to build
// nothing.
func (r *planRenderer) whyUnchanged() string {
	for _, s := range r.plan.Sites {
		if slices.ContainsFunc(s.Images, func(c planner.ImageChange) bool { return c.Made() }) {
			return "The builds gave what the sites have already."
		}
	}
	if partial(r.plan) != "" {
		return "The selected sites have what the configuration says."
	}
	return "Every site has what the configuration says."
}

func (r *planRenderer) uses(change string) bool {
	if r.envelopesUse(change) {
		return true
	}
	for _, s := range r.plan.Sites {
		if s.Change == change {
			return true
		}
		for _, i := range s.Images {
			if i.Change == change {
				return true
			}
		}
		for _, f := range s.Conf {
			if f.Change == change {
				return true
			}
		}
	}
	return false
}

// rebuilt tells of images that no site lacks and that are needed nevertheless.
func (r *planRenderer) rebuilt() {
	for _, i := range r.plan.Images {
		if i.Action == planner.ActionBase && len(i.Reasons) > 0 {
			r.grey("# %s is the same for every site, and needed to build %s", i.Address, i.Reasons[0].New)
		}
	}
}

func (r *planRenderer) footer() string {
	var initial, incremental, images int
	for _, s := range r.plan.Sites {
		switch s.Change {
		case planner.ChangeCreate:
			initial++
		case planner.ChangeUpdate:
			incremental++
		}
	}
	for _, i := range r.plan.Images {
		if i.Action == planner.ActionMake {
			images++
		}
	}
	return fmt.Sprintf("%s (%d initial, %d incremental), %s to make.",
		count(initial+incremental, "patch"), initial, incremental, count(images, "image"))
}

func (r *planRenderer) line(format string, args ...any) {
	fmt.Fprintf(&r.b, format+"\n", args...)
}

func (r *planRenderer) grey(format string, args ...any) {
	r.line("%s", r.paint(grey, fmt.Sprintf(format, args...)))
}

func (r *planRenderer) paint(s style, text string) string { return paint(r.color, s, text) }

func (r *planRenderer) symbol(change string) string {
	switch change {
	case planner.ChangeCreate:
		return r.paint(green, "+")
	case planner.ChangeUpdate:
		return r.paint(yellow, "~")
	case planner.ChangeRemove:
		return r.paint(red, "-")
	}
	return " "
}
