package main

import (
	"fmt"
	"strings"

	"github.com/flotobuild/flotobuild/cmd/flotobuild/report"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/relate"
)

// A differenceRenderer writes what differs between two patches for people.
type differenceRenderer struct {
	color bool
	// terminal says that somebody looks: contents are shown without what could
	// steer the terminal. Otherwise they stay as they are, for patch(1).
	terminal bool

	b strings.Builder
}

// mark gives the sign of a change and its colour.
func mark(c patch.Change) (string, style) {
	switch c {
	case patch.Added:
		return "+", green
	case patch.Removed:
		return "-", red
	}
	return "~", yellow
}

func (r *differenceRenderer) line(format string, args ...any) {
	r.b.WriteString(safe(fmt.Sprintf(format, args...)) + "\n")
}

func (r *differenceRenderer) marked(indent string, c patch.Change, format string, args ...any) {
	sign, colour := mark(c)
	r.b.WriteString(indent + paint(r.color, colour, sign+" "+safe(fmt.Sprintf(format, args...))) + "\n")
}

// names writes a line for each image and each file that differs.
func (r *differenceRenderer) names(d *patch.Difference) {
	for _, i := range d.Images {
		if i.Change != patch.Same {
			r.line("image %s", i.Name)
		}
	}
	for _, f := range d.Files {
		r.line("%s", f.Path)
	}
}

// summary writes all but the files.
func (r *differenceRenderer) summary(d *patch.Difference) {
	r.line("a  %s", d.A.ID)
	r.line("b  %s", d.B.ID)
	if d.Equal() {
		r.line("The releases are the same.")
		return
	}
	for _, a := range d.Attributes {
		r.marked("", patch.Changed, "%s: %q → %q", a.Key, a.A, a.B)
	}
	r.images(d)
	if len(d.Files) > 0 {
		r.line("")
		r.line("%s:", changed(len(d.Files), "file"))
	}
}

func (r *differenceRenderer) images(d *patch.Difference) {
	same := 0
	for _, i := range d.Images {
		if i.Change == patch.Same {
			same++
		}
	}
	if same == len(d.Images) {
		r.line("%s, no change", count(same, "image"))
		return
	}
	r.line("")
	r.line("%s:", changed(len(d.Images)-same, "image"))
	for _, i := range d.Images {
		r.image(i)
	}
	if same > 0 {
		r.line("  %s without a change", count(same, "image"))
	}
	t := d.Layers
	r.line("  in all images: %s new, %s removed, %s unchanged", layerTotal(t.Added), layerTotal(t.Removed), layerTotal(t.Same))
}

func (r *differenceRenderer) image(i patch.ImageDifference) {
	if i.Change == patch.Same {
		return
	}
	r.marked("  ", i.Change, "%s", i.Name)
	var kept patch.LayerTotal
	for _, l := range i.Layers {
		if l.Change == patch.Same {
			kept.Count, kept.Size = kept.Count+1, kept.Size+l.Size
			continue
		}
		text := fmt.Sprintf("%s  %s", l.DiffID, byteSize(l.Size))
		if l.CreatedBy != "" {
			text += "  " + report.Step(l.CreatedBy)
		}
		r.marked("      ", l.Change, "%s", text)
	}
	if kept.Count > 0 {
		r.line("        %s unchanged", layerTotal(kept))
	}
}

// changed counts what differs.
func changed(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " differs"
	}
	return count(n, noun) + " differ"
}

func layerTotal(t patch.LayerTotal) string {
	if t.Count == 0 {
		return "0 layers"
	}
	return fmt.Sprintf("%s (%s)", count(t.Count, "layer"), byteSize(t.Size))
}

// file writes the difference of a file: its lines, or with stat their number.
func (r *differenceRenderer) file(f patch.FileDifference, t *relate.Text, stat bool) {
	note := ""
	if f.A != nil && f.B != nil && f.A.Mode != f.B.Mode {
		note = fmt.Sprintf(", mode %s → %s", mode(f.A.Mode), mode(f.B.Mode))
	} else if c := f.B; c != nil && f.A == nil && c.Mode != patch.ModeFile {
		note = fmt.Sprintf(", mode %s", mode(c.Mode))
	}
	switch {
	case t.Why != "":
		r.marked("  ", f.Change, "%s: %s, %s%s", f.Path, t.Why, sizes(f), note)
	case len(t.Unified) == 0:
		r.marked("  ", f.Change, "%s: %s%s", f.Path, sizes(f), note)
	default:
		r.marked("  ", f.Change, "%s: +%d -%d%s", f.Path, t.Added, t.Removed, note)
	}
	if !stat {
		r.lines(t.Unified)
	}
}

// lines writes a unified diff.
func (r *differenceRenderer) lines(unified []byte) {
	if !r.terminal {
		r.b.Write(unified)
		return
	}
	for line := range strings.Lines(string(unified)) {
		text, _ := strings.CutSuffix(line, "\n")
		switch text = safe(text); {
		case strings.HasPrefix(text, "+"):
			text = paint(r.color, green, text)
		case strings.HasPrefix(text, "-"):
			text = paint(r.color, red, text)
		}
		r.b.WriteString(text + "\n")
	}
}

func mode(m patch.Mode) string { return fmt.Sprintf("%#o", uint32(m)) }

// sizes writes the size before and after.
func sizes(f patch.FileDifference) string {
	switch {
	case f.A == nil:
		return byteSize(f.B.Size)
	case f.B == nil:
		return byteSize(f.A.Size)
	case f.A.Size == f.B.Size:
		return byteSize(f.A.Size)
	}
	return byteSize(f.A.Size) + " → " + byteSize(f.B.Size)
}
