package report

import (
	"fmt"
	"strings"

	"github.com/flotobuild/flotobuild/planner"
)

// who names the members of a site.
func (s *Site) who(level Level) string {
	if len(s.Members) == 1 {
		return plain(s.Members[0].Name)
	}
	return s.names(level)
}

func (s *Site) names(level Level) string {
	var names []string
	for _, m := range s.Members {
		names = append(names, m.Name)
	}
	most := mostMembers
	if level == Detail {
		most = len(names)
	}
	return some(names, most)
}

func (t *text) site(s *Site) {
	t.heading(s)
	if s.Change == planner.ChangeNone {
		return
	}
	t.opening(s)
	t.attributes(s)
	t.images(s)
	t.manifest(s)
	t.conf(s)
	t.siteEnvelopes(s)
	t.line(8, say("size = %s%s", s.Size, s.SizeMore))
	t.line(4, say("}"))
}

func (t *text) heading(s *Site) {
	if len(s.Members) > 1 {
		t.headings(s)
		return
	}
	m := s.Members[0]
	switch s.Change {
	case planner.ChangeNone:
		t.comment(2, "site %q has all that it should have: no patch", m.Name)
	case planner.ChangeCreate:
		t.line(2, say("# site "), quoted(m.Name), say(" has no patch yet: an initial one"))
	default:
		t.line(2, say("# site "), quoted(m.Name), say(": an incremental patch on"))
		t.parents(m, "  ")
	}
}

// headings is for sites that are told together.
func (t *text) headings(s *Site) {
	switch s.Change {
	case planner.ChangeNone:
		t.comment(2, "sites %s have all that they should have: no patch", s.names(t.Level))
		return
	case planner.ChangeCreate:
		t.line(2, say("# %d sites have no patch yet, an initial one for each: %s", len(s.Members), s.names(t.Level)))
	default:
		t.line(2, say("# %d sites, an incremental patch for each on its parent: %s", len(s.Members), s.names(t.Level)))
	}
	for n, m := range s.Members {
		if t.Level != Detail {
			if s.Change == planner.ChangeUpdate {
				t.comment(2, "  %s hidden, -detail lists them", Count(len(s.Members), "parent"))
			}
			return
		}
		if n == 0 {
			t.comment(2, "  the patches:")
		}
		t.line(2, say("#   %q: patch %q in %s, %s", m.Name, m.Patch, m.Output, m.Size))
		t.parents(m, "    ")
	}
}

// parents names the patches that the next one of a site applies to; of several
// it tells what each lacks.
func (t *text) parents(m Member, indent string) {
	several := false
	for _, p := range m.Parents {
		t.line(2, say("# %s", indent), name(p.ID))
		if p.Bare {
			t.comment(2, "%s  its description alone is at hand: images are built, and layers compared, without its layers and cache", indent)
		}
		if p.Lacks != "" {
			several = true
			t.line(2, say("# %s  %s", indent, p.Lacks))
		}
	}
	if several {
		t.comment(2, "The patch carries what any of them lacks. What follows compares with the first.")
	}
}

func (t *text) opening(s *Site) {
	var patches, outputs []string
	for _, m := range s.Members {
		if len(patches) == 0 || patches[len(patches)-1] != m.Patch {
			patches = append(patches, m.Patch)
		}
		if len(outputs) == 0 || outputs[len(outputs)-1] != m.Output {
			outputs = append(outputs, m.Output)
		}
	}
	out := outputs[0]
	if more := len(outputs) - 1; more > 0 {
		out += fmt.Sprintf(" and %d more", more)
	}
	if len(patches) == 1 {
		t.line(2, mark(s.Change), say(" patch "), quoted(patches[0]), say(" in "), name(out), say(" {"))
		return
	}
	t.line(2, mark(s.Change), say(" patches %s in %s {", some(patches, mostMembers), out))
}

func (t *text) attributes(s *Site) {
	if s.Change == planner.ChangeCreate {
		t.line(6, mark(s.Change), say(" version = %q", s.Version))
	}
	for _, a := range s.Attributes {
		t.line(6, mark(a.Change), say(" %s", a.Text))
	}
	if s.Revision != "" {
		t.line(8, say("revision = %q", s.Revision))
	}
}

func (t *text) images(s *Site) {
	for _, i := range s.Images {
		t.image(i)
	}
	for _, n := range s.Anew {
		t.comment(8, "image %q was made anew and is the same as before", n)
	}
	if n := len(s.Unchanged); n > 0 && t.Level != Detail {
		t.comment(8, "%s hidden", Count(n, "unchanged image"))
		return
	}
	for _, n := range s.Unchanged {
		t.comment(8, "image %q is unchanged", n)
	}
}

func (t *text) image(i *Image) {
	line := []span{mark(i.Change), say(" image "), quoted(i.Name), say(": %s", i.told())}
	if i.Note != "" {
		line = append(line, painted(grey, " # "+i.Note))
	}
	t.line(6, line...)
	for n, why := range i.Why {
		if t.more(12, n, len(i.Why), mostReasons, "reason") {
			break
		}
		t.line(10, painted(grey, "#"), say(" %s", why))
	}
	for _, l := range i.Layers {
		t.layer(l)
	}
	if i.Built && i.Reused > 0 && t.Level != Detail {
		t.comment(12, "%s hidden that the parent has, -detail lists them", Count(i.Reused, "layer"))
	}
}

// told says what the parent has and what is new.
func (i *Image) told() string {
	if i.Change == planner.ChangeUpdate && i.Old != "" {
		return i.Old + " → " + i.New
	}
	if i.New == "" {
		return i.Old
	}
	return i.New
}

func (t *text) layer(l Layer) {
	size := fmt.Sprintf("%9s", Bytes(l.Bytes))
	if l.Change != planner.ChangeCreate {
		if t.Level == Detail {
			t.line(12, say("%s  ", size), name(l.Text), painted(grey, " # reused"))
		}
		return
	}
	t.line(10, mark(l.Change), say(" %s  ", size), name(l.Text))
	if l.Why != "" {
		t.comment(25, "%s", l.Why)
	}
}

func (t *text) conf(s *Site) {
	if len(s.Conf.List) == 0 {
		return
	}
	t.line(6, mark(s.Change), say(" conf: %s", s.Conf.Counts))
	if s.Change == planner.ChangeCreate && t.Level != Detail {
		return // everything is new
	}
	t.files(s.Conf)
}

func (t *text) manifest(s *Site) {
	if len(s.Manifest.List) == 0 {
		return
	}
	t.line(6, mark(s.Change), say(" manifest and documents: %s", s.Manifest.Counts))
	t.files(s.Manifest)
}

// siteEnvelopes lists the folders of envelopes that change in the patch.
func (t *text) siteEnvelopes(s *Site) {
	if len(s.Envelopes.List) == 0 {
		return
	}
	t.line(6, mark(s.Change), say(" envelopes: %s", s.Envelopes.Counts))
	t.files(s.Envelopes)
}

// files lists changed files.
func (t *text) files(f Files) {
	for n, file := range f.List {
		if t.more(12, n, len(f.List), mostFiles, "file") {
			return
		}
		line := []span{mark(file.Change), say(" "), name(file.Path)}
		if file.Size != "" {
			line = append(line, say(" "), painted(grey, "("+file.Size+")"))
		}
		t.line(10, line...)
	}
}

// concise tells a site in a line, and each changed image in one.
func (t *text) concise(s *Site) {
	if s.Change == planner.ChangeNone {
		t.comment(0, "%s: no patch", s.sites(t.Level))
		return
	}
	var parts []string
	for _, a := range s.Attributes {
		parts = append(parts, a.Text)
	}
	if n := len(s.Images); n > 0 {
		parts = append(parts, Count(n, "image"))
	}
	if s.Conf.Counts != "" {
		parts = append(parts, "conf "+s.Conf.Counts)
	}
	if s.Manifest.Counts != "" {
		parts = append(parts, "manifest "+s.Manifest.Counts)
	}
	if s.Envelopes.Counts != "" {
		parts = append(parts, "envelopes "+s.Envelopes.Counts)
	}
	size := s.Members[0].Size
	switch {
	case len(s.Members) > 1 && s.Exact:
		size = s.Size
	case len(s.Members) > 1:
		size += " each"
	}
	parts = append(parts, size)
	t.line(0, mark(s.Change), say(" %s: %s", s.sites(t.Level), strings.Join(parts, ", ")))
	for _, i := range s.Images {
		line := []span{mark(i.Change), say(" image "), quoted(i.Name)}
		if i.Change != planner.ChangeRemove && i.New != "" {
			line = append(line, say(": %s", i.New))
		}
		if i.Note != "" {
			line = append(line, painted(grey, " # "+i.Note))
		}
		t.line(4, line...)
	}
}

// sites names the members behind the noun.
func (s *Site) sites(level Level) string {
	if len(s.Members) == 1 {
		return fmt.Sprintf("site %q", s.Members[0].Name)
	}
	return fmt.Sprintf("%d sites (%s)", len(s.Members), s.names(level))
}
