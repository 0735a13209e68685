package report

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flotobuild/flotobuild/planner"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9]+m")

// TestColourTellsNothingMore holds for every situation, level and width.
func TestColourTellsNothingMore(t *testing.T) {
	coloured := 0
	for _, s := range situations {
		r := New(s.plan(), Options{Variables: s.vars})
		for _, level := range []Level{Normal, Concise, Detail} {
			for _, width := range []int{0, 40, 80, 200} {
				o := TextOptions{Level: level, Width: width}
				without := r.Text(o)
				o.Color = true
				with := r.Text(o)
				if got := escapes.ReplaceAllString(with, ""); got != without {
					t.Errorf("%s, level %d, width %d: with colours\n%s\nwithout\n%s", s.name, level, width, got, without)
				}
				if strings.Contains(without, "\x1b") {
					t.Errorf("%s, level %d, width %d: escape sequences without colours", s.name, level, width)
				}
				if with != without {
					coloured++
				}
			}
		}
	}
	if coloured < 12*len(situations)/2 {
		t.Errorf("only %d texts have colours", coloured)
	}
}

// TestSymbols makes sure that each coloured symbol has its word in the legend.
func TestSymbols(t *testing.T) {
	symbol := regexp.MustCompile(`(?m)^ *([-+~]) `)
	for _, s := range situations {
		r := New(s.plan(), Options{})
		text := r.Text(TextOptions{Level: Detail})
		for _, m := range symbol.FindAllStringSubmatch(text, -1) {
			legend := map[string]string{"+": "+ create", "~": "~ update", "-": "- remove"}[m[1]]
			if !strings.Contains(text, "  "+legend+"\n") {
				t.Errorf("%s: there is a %s, and the legend has no %q", s.name, m[1], legend)
			}
		}
	}
}

func TestWidth(t *testing.T) {
	for _, s := range situations {
		r := New(s.plan(), Options{Variables: s.vars})
		for _, width := range []int{32, 60, 80, 132} {
			for _, level := range []Level{Normal, Concise, Detail} {
				text := r.Text(TextOptions{Level: level, Width: width})
				for line := range strings.Lines(text) {
					line = strings.TrimSuffix(line, "\n")
					if w := cells.StringWidth(line); w > width {
						t.Errorf("%s, level %d: a line has %d cells of %d: %q", s.name, level, w, width, line)
					}
				}
			}
		}
	}
}

// TestLogIsNotCut: a log has every name as it is.
func TestLogIsNotCut(t *testing.T) {
	long := "config/" + strings.Repeat("very-long-", 40) + "name.yaml"
	p := situation{change: func(w *world) { w.sites[0].conf[long] = "x" }}.plan()
	r := New(p, Options{})
	if text := r.Text(TextOptions{}); !strings.Contains(text, long) {
		t.Errorf("the log has not the whole name:\n%s", text)
	}
	if text := r.Text(TextOptions{Width: 80}); strings.Contains(text, long) || !strings.Contains(text, "…") {
		t.Errorf("on a terminal the name is not cut:\n%s", text)
	}
	text := r.Text(TextOptions{Width: 80, Level: Detail})
	if got := strings.ReplaceAll(strings.ReplaceAll(text, "\n", ""), " ", ""); !strings.Contains(got, long) {
		t.Errorf("with -detail the name is not whole:\n%s", text)
	}
}

func TestMiddle(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"abcdef", 6, "abcdef"},
		{"abcdefgh", 5, "ab…gh"},
		{"abcdefgh", 6, "abc…gh"},
		{"制御盤設定超長い名前", 9, "制御…名前"},
		{"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", 5, "e\u0301e\u0301…e\u0301e\u0301"},
		{"", 5, ""},
	} {
		got := middle(c.text, c.width)
		if got != c.want || cells.StringWidth(got) > c.width || !utf8.ValidString(got) {
			t.Errorf("middle(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

// FuzzText: whatever the names, text has no escape sequences, its own lines only,
// and fits the terminal.
func FuzzText(f *testing.F) {
	f.Add("config/x", "2.0", 40)
	f.Add("a\nPlan: 0 patches", "\x1b[2J\u202e", 32)
	f.Add("制御盤", "\xff\xfe", 60)
	f.Fuzz(func(t *testing.T, path, version string, width int) {
		p := situation{change: func(w *world) {
			w.sites[0].conf[path] = "x"
			w.sites[0].version = version
			w.set("historian", "arg:"+path, version)
		}}.plan()
		for _, s := range p.Sites {
			s.Patch.Output = path
		}
		r := New(p, Options{Variables: []planner.PlanVariable{{Name: path, Value: version}}})
		plain := New(situation{change: func(w *world) {
			w.sites[0].conf["x"], w.sites[0].version = "x", "3"
			w.set("historian", "arg:x", "3")
		}}.plan(), Options{Variables: []planner.PlanVariable{{Name: "x", Value: "y"}}})
		if strings.Contains(path, ":") || version == "2.0.0" || path == "config/limits.yaml" || path == "config/units.yaml" {
			return // other changes
		}
		text, other := r.Text(TextOptions{}), plain.Text(TextOptions{})
		if strings.ContainsAny(text, "\x1b\r\u202e") || !utf8.ValidString(text) {
			t.Errorf("the text steers the terminal: %q", text)
		}
		if strings.Count(text, "\n") != strings.Count(other, "\n") {
			t.Errorf("a name makes lines of its own:\n%s", text)
		}
		if _, err := r.HTML(); err != nil {
			t.Error(err)
		}
		_ = r.Text(TextOptions{Width: width % 300, Level: Detail})
	})
}
