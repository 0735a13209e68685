package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/text/width"
)

// A snippet is the first source line of a diagnostic. Control characters are
// replaced, so that a hostile file cannot steer the terminal.
type snippet struct {
	before, marked, after string
	line                  int
	masked                bool
}

const maskedLine = "(source line not shown: it holds a sensitive value)"

// sourceLine cuts out the line that rng begins on. It returns nil where there is
// no source.
func sourceLine(files map[string]*hcl.File, mask *lineMask, rng *hcl.Range) *snippet {
	if rng == nil || rng.Start.Line < 1 {
		return nil
	}
	f := files[rng.Filename]
	if f == nil || len(f.Bytes) == 0 || rng.Start.Byte > len(f.Bytes) {
		return nil
	}
	if mask.masked(rng.Filename, rng.Start.Line) {
		return &snippet{masked: true, line: rng.Start.Line}
	}
	start, end := lineAround(f.Bytes, rng.Start.Byte)
	from, to := rng.Start.Byte, min(max(rng.End.Byte, rng.Start.Byte), end)
	from = min(from, end)
	return &snippet{
		before: clean(string(f.Bytes[start:from])),
		marked: clean(string(f.Bytes[from:to])),
		after:  clean(string(f.Bytes[to:end])),
		line:   rng.Start.Line,
	}
}

// lineAround finds the line that holds an offset, without its line break.
func lineAround(src []byte, at int) (start, end int) {
	start, end = at, at
	for start > 0 && src[start-1] != '\n' {
		start--
	}
	for end < len(src) && src[end] != '\n' {
		end++
	}
	if end > start && src[end-1] == '\r' {
		end--
	}
	return start, end
}

// clean replaces tabs by two spaces and what cannot be printed by U+FFFD.
func clean(s string) string {
	s = strings.ReplaceAll(s, "\t", "  ")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || unicode.Is(unicode.M, r) {
			return r
		}
		return utf8.RuneError
	}, s)
}

// columns is the number of terminal cells that a text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.M, r):
		case isWide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

func isWide(r rune) bool {
	k := width.LookupRune(r).Kind()
	return k == width.EastAsianWide || k == width.EastAsianFullwidth
}

// ellipsis stands for what has been cut off.
const ellipsis = "..."

// fit shortens the snippet to a number of terminal cells around its mark.
func (s *snippet) fit(cells int) {
	if columns(s.before)+columns(s.marked)+columns(s.after) <= cells {
		return
	}
	s.marked = head(s.marked, cells*2/3)
	s.before = tail(s.before, max((cells-columns(s.marked))*2/3, 8))
	s.after = head(s.after, max(cells-columns(s.before)-columns(s.marked), 3))
}

func head(s string, cells int) string {
	if columns(s) <= cells {
		return s
	}
	out := strings.Builder{}
	room := cells - len(ellipsis)
	for _, r := range s {
		if room -= columns(string(r)); room < 0 {
			break
		}
		out.WriteRune(r)
	}
	return out.String() + ellipsis
}

func tail(s string, cells int) string {
	if columns(s) <= cells {
		return s
	}
	room, at := cells-len(ellipsis), len(s)
	for at > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:at])
		if room -= columns(string(r)); room < 0 {
			break
		}
		at -= size
	}
	return ellipsis + s[at:]
}
