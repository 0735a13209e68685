package report

import (
	"fmt"

	"github.com/flotobuild/flotobuild/planner"
)

// volumesOf lists the volumes whose file is written.
func volumesOf(p *planner.Plan) []Entry {
	var out []Entry
	for _, v := range p.Volumes {
		if v.Change == planner.ChangeNone {
			continue
		}
		text := fmt.Sprintf("volume %s holds %s", v.ID, v.Image)
		for _, r := range v.Reasons {
			switch r.Input {
			case planner.InputImage:
				text += ", which has changed"
			default:
				text += "; its file is missing or was changed"
			}
		}
		out = append(out, Entry{v.Change, plain(text)})
	}
	return out
}

// Removals counts the outputs that apply removes.
func Removals(p *planner.Plan) int {
	n := 0
	for _, s := range p.Strays {
		if !s.Kept {
			n++
		}
	}
	return n
}

// straysOf lists the outputs that belong to nothing.
func straysOf(p *planner.Plan) []Entry {
	var out []Entry
	for _, s := range p.Strays {
		if s.Kept {
			out = append(out, Entry{planner.ChangeNone, plain(s.Path + " stays: somebody has changed it")})
		} else {
			out = append(out, Entry{planner.ChangeRemove, plain(s.Path)})
		}
	}
	return out
}
