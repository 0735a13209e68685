package report

import (
	"fmt"

	"github.com/flotobuild/flotobuild/planner"
)

// totals adds up the patches of all sites.
func (r *Report) totals(p *planner.Plan) {
	var initial, incremental, images, unestimated, volumes int
	var bytes int64
	exact := true
	for _, s := range p.Sites {
		switch s.Change {
		case planner.ChangeNone:
			continue
		case planner.ChangeCreate:
			initial++
		default:
			incremental++
		}
		exact = exact && s.Size.Exact
		volumes += s.Size.Volumes
		unestimated += s.Size.Unestimated
		if bytes += s.Size.Patch; s.Size.Unestimated > 0 {
			bytes += s.Size.Conf + s.Size.NewLayers
		}
	}
	for _, i := range p.Images {
		if i.Action == planner.ActionMake {
			images++
		}
	}
	patches := initial + incremental
	r.Exact = exact && patches > 0
	r.Footer = fmt.Sprintf("%s (%d initial, %d incremental), %s to make.", Count(patches, "patch"), initial, incremental, Count(images, "image"))
	if n := Sealings(p); n > 0 {
		r.Footer += " " + Count(n, "envelope") + " to seal."
	}
	if n := len(r.Volumes); n > 0 {
		r.Footer += " " + Count(n, "volume") + " to fill."
	}
	if n := Removals(p); n > 0 {
		r.Footer += " " + Count(n, "output") + " to remove."
	}
	if patches == 0 {
		return
	}
	in := " in " + Count(patches, "patch")
	switch {
	case exact:
		r.Total = fmt.Sprintf("%d bytes (%s)%s", bytes, Bytes(bytes), in)
	case unestimated > 0:
		r.Total = fmt.Sprintf("%s%s, and what has no estimate yet: new layers of %s %s", estimate(bytes), in, Count(unestimated, "image"), after)
	default:
		r.Total = estimate(bytes) + in
	}
	if volumes > 0 {
		about := "~"
		if exact {
			about = ""
		}
		r.Total += ", on " + about + Count(volumes, "media volume")
	}
	r.Total += "."
}
