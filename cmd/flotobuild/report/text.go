package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/planner"
)

// A Level says how much of a report is told.
type Level int

// Levels of text.
const (
	Normal  Level = iota
	Concise       // a line for each site and image
	Detail        // everything
)

// What Normal lists at most; one more than these is listed, too, instead of
// saying that one is hidden.
const (
	mostFiles   = 10
	mostReasons = 8
	mostMembers = 5
)

// TextOptions say how text is laid out.
type TextOptions struct {
	Color bool
	Level Level
	// Width is the number of cells of the terminal. Longer names are cut in the
	// middle, unless Level is Detail, and longer lines wrapped. 0 does neither: logs
	// are searched by line.
	Width int
}

// Text writes a report for terminals and logs, in the form that users of
// Terraform know. Colours say nothing that symbols and words do not say.
func (r *Report) Text(o TextOptions) string {
	if o.Width < 0 || o.Width > 0 && o.Width < 2*leastName {
		o.Width = 0 // nothing sensible fits
	}
	t := &text{TextOptions: o}
	t.report(r)
	return t.b.String()
}

type text struct {
	TextOptions
	b strings.Builder
}

// line writes a line; a line without spans is empty.
func (t *text) line(indent int, spans ...span) {
	if indent > 0 && len(spans) > 0 {
		spans = append([]span{{text: strings.Repeat(" ", indent)}}, spans...)
	}
	if t.Width > 0 && t.Level != Detail {
		spans = fit(spans, t.Width)
	}
	if t.Width > 0 && widthOf(spans) > t.Width {
		for _, l := range wrap(spans, t.Width, indent+4) {
			write(&t.b, l, t.Color)
		}
		return
	}
	write(&t.b, spans, t.Color)
}

// comment writes a grey line, which begins with #.
func (t *text) comment(indent int, format string, args ...any) {
	t.line(indent, span{style: grey, text: "# " + fmt.Sprintf(format, args...)})
}

func say(format string, args ...any) span { return span{text: fmt.Sprintf(format, args...)} }
func name(s string) span                  { return span{text: s, name: true} }
func quoted(s string) span                { return span{text: fmt.Sprintf("%q", s), name: true} }
func painted(s style, text string) span   { return span{style: s, text: text} }

// mark is the symbol of a change.
func mark(change string) span {
	switch change {
	case planner.ChangeCreate:
		return span{style: green, text: "+"}
	case planner.ChangeUpdate:
		return span{style: yellow, text: "~"}
	case planner.ChangeRemove:
		return span{style: red, text: "-"}
	}
	return span{text: " "}
}

func (t *text) report(r *Report) {
	t.lock(r)
	if r.Verdict != "" {
		t.unchanged(r)
		return
	}
	if t.Level == Concise {
		for _, s := range r.Sites {
			t.concise(s)
		}
		for _, e := range r.Envelopes {
			t.conciseEnvelope(e)
		}
		for _, e := range slices.Concat(r.Volumes, r.Strays) {
			t.line(0, mark(e.Change), say(" "), name(e.Text))
		}
	} else {
		t.legend(r)
		for _, s := range r.Sites {
			t.line(0)
			t.site(s)
		}
		for _, e := range r.Envelopes {
			t.line(0)
			t.envelope(e)
		}
		t.outputs(r)
	}
	t.line(0)
	t.shared(r)
	t.line(0, painted(bold, "Plan:"), say(" %s", r.Footer))
	if r.Total != "" {
		t.line(0, painted(bold, "Size:"), say(" %s", r.Total))
	}
	if r.Partial != "" {
		t.comment(0, "%s", r.Partial)
	}
}

func (t *text) legend(r *Report) {
	t.line(0)
	t.line(0, say("flotobuild will make %s as follows. The symbols stand for:", r.what()))
	used := r.uses()
	for _, change := range []string{planner.ChangeCreate, planner.ChangeUpdate, planner.ChangeRemove} {
		if used[change] {
			t.line(2, mark(change), say(" %s", change))
		}
	}
}

// uses lists the changes whose symbols stand in the report.
func (r *Report) uses() map[string]bool {
	used := make(map[string]bool)
	for _, e := range r.Lock {
		used[e.Change] = true
	}
	for _, s := range r.Sites {
		used[s.Change] = true
		for _, i := range s.Images {
			used[i.Change] = true
			for _, l := range i.Layers {
				used[l.Change] = true
			}
		}
		for _, f := range slices.Concat(s.Conf.List, s.Manifest.List, s.Envelopes.List) {
			used[f.Change] = true
		}
		for _, a := range s.Attributes {
			used[a.Change] = true
		}
	}
	for _, e := range slices.Concat(r.Volumes, r.Strays) {
		used[e.Change] = true
	}
	for _, e := range r.Envelopes {
		used[e.Change] = true
		for _, b := range e.Blobs {
			used[b.Change] = true
		}
		for _, d := range e.Devices {
			used[d.Change] = true
		}
	}
	return used
}

func (t *text) unchanged(r *Report) {
	t.line(0, painted(green, "No changes."), say(" %s", r.Verdict))
	if t.Level == Concise {
		return
	}
	for _, s := range r.Sites {
		for n, m := range s.Members {
			if t.more(2, n, len(s.Members), mostFiles, "site") {
				break
			}
			for _, p := range m.Parents {
				t.comment(2, "%s has %s", plain(m.Name), p.ID)
			}
		}
	}
	for _, s := range r.Strays { // nothing is removed
		t.comment(2, "%s", s.Text)
	}
	t.variables(r)
}

// more says, at the n-th of all, that the others are hidden.
func (t *text) more(indent, n, all, most int, noun string) bool {
	if t.Level == Detail || n < most || all <= most+1 {
		return false
	}
	t.comment(indent, "%s hidden, -detail lists them", Count(all-n, "more "+noun))
	return true
}

// lock tells what the plan changed in the lock file.
func (t *text) lock(r *Report) {
	if len(r.Lock) == 0 {
		return
	}
	t.line(0)
	t.line(0, say("%s", r.LockTitle))
	concealed := 0
	for n, c := range r.Lock {
		// What moves is always told; what is new may be long.
		if n >= mostFiles && c.Change != planner.ChangeUpdate && t.Level != Detail {
			concealed++
			continue
		}
		t.line(2, mark(c.Change), say(" %s", c.Text))
	}
	if concealed > 0 {
		t.comment(4, "%s hidden, -detail lists them", Count(concealed, "more entry"))
	}
}

// shared tells what is not about a single site.
func (t *text) shared(r *Report) {
	for _, i := range r.Images {
		if i.For != "" && t.Level != Concise {
			t.comment(0, "%s is the same for every site, and needed to build %s", i.Address, i.For)
		}
	}
	for _, d := range r.Diverging {
		if t.Level == Concise {
			t.comment(0, "%s is made once for sites whose parents have different ones", d.Address)
			continue
		}
		t.comment(0, "%s is made once for all sites, whose parents have different ones:", d.Address)
		for n, s := range d.Sites {
			if t.more(0, n, len(d.Sites), mostFiles, "site") {
				break
			}
			t.comment(0, "  %s", s)
		}
		t.comment(0, "So a patch may carry layers that its site would keep if it were alone.")
	}
	t.policies(r)
	t.variables(r)
}

// policies tells which rules are violated, and which the build will decide.
func (t *text) policies(r *Report) {
	for _, s := range r.Sites {
		for _, p := range s.Policy {
			switch {
			case p.Outcome == planner.PolicyViolated:
				t.line(0, painted(red, "! policy violated"), say(" at %s: %s: %s", s.who(t.Level), p.Rule, p.Detail))
			case p.Outcome == planner.PolicyUnknown && s.Change != planner.ChangeNone:
				t.comment(0, "policy of %s: %s %s", s.who(t.Level), p.Rule, after)
			}
		}
	}
}

func (t *text) variables(r *Report) {
	if t.Level != Detail || len(r.Variables) == 0 {
		return
	}
	t.comment(0, "variables:")
	for _, v := range r.Variables {
		t.comment(0, "  %s = %s, from %s", v.Name, v.Value, v.Origin)
	}
}
