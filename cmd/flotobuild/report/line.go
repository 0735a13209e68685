package report

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// A style is an ANSI escape sequence.
type style string

const (
	none   style = ""
	bold   style = "\x1b[1m"
	red    style = "\x1b[31m"
	green  style = "\x1b[32m"
	yellow style = "\x1b[33m"
	grey   style = "\x1b[90m"
)

// A span is a part of a line in one style. A name may be cut in its middle
// where the line is too long.
type span struct {
	style style
	text  string
	name  bool
}

// leastName is how many cells of a name are never cut.
const leastName = 16

// cells counts columns of a terminal. What is of ambiguous width is narrow,
// whatever the locale says, so that equal plans look the same.
var cells = runewidth.Condition{StrictEmojiNeutral: true}

func widthOf(spans []span) int {
	n := 0
	for _, s := range spans {
		n += cells.StringWidth(s.text)
	}
	return n
}

// fit shortens the names of a line, the longest first, until it has no more
// than width cells, or nothing more can be cut.
func fit(spans []span, width int) []span {
	for over := widthOf(spans) - width; over > 0; over = widthOf(spans) - width {
		longest, most := -1, leastName
		for n, s := range spans {
			if w := cells.StringWidth(s.text); s.name && w > most {
				longest, most = n, w
			}
		}
		if longest < 0 {
			return spans
		}
		spans[longest].text = middle(spans[longest].text, max(most-over, leastName))
	}
	return spans
}

// middle cuts a text in its middle to a number of cells: beginnings and ends
// tell names apart.
func middle(text string, width int) string {
	all := cells.StringWidth(text)
	if all <= width {
		return text
	}
	right := (width - 1) / 2
	return cells.Truncate(text, width-1-right, "") + "…" + cells.TruncateLeft(text, all-right, "")
}

// wrap breaks a line at spaces, words that are longer than a line anywhere.
// Further lines are indented by hang.
func wrap(spans []span, width, hang int) [][]span {
	hang = min(hang, width/2)
	out := [][]span{nil}
	used := 0
	feed := func() {
		trimEnd(out[len(out)-1])
		out = append(out, []span{{text: strings.Repeat(" ", hang)}})
		used = hang
	}
	for _, s := range spans {
		for _, word := range words(s.text) {
			w := cells.StringWidth(word)
			if used+cells.StringWidth(strings.TrimRight(word, " ")) > width && used > hang {
				feed()
				word = strings.TrimLeft(word, " ")
				w = cells.StringWidth(word)
			}
			for used+w > width && cells.StringWidth(strings.TrimRight(word, " ")) > width-used {
				head := cells.Truncate(word, width-used, "")
				if head == "" {
					break
				}
				add(out, span{style: s.style, text: head})
				word = word[len(head):]
				feed()
				w = cells.StringWidth(word)
			}
			add(out, span{style: s.style, text: word})
			used += w
		}
	}
	return out
}

// trimEnd takes the spaces off the end of a line.
func trimEnd(line []span) {
	if last := len(line) - 1; last >= 0 {
		line[last].text = strings.TrimRight(line[last].text, " ")
	}
}

// add appends to the last line.
func add(lines [][]span, s span) {
	last := len(lines) - 1
	if line := lines[last]; len(line) > 0 && line[len(line)-1].style == s.style {
		line[len(line)-1].text += s.text
		return
	}
	lines[last] = append(lines[last], s)
}

// words splits a text behind its spaces; leading ones stay together.
func words(text string) []string {
	var out []string
	for text != "" {
		n := len(text) - len(strings.TrimLeft(text, " "))
		if i := strings.IndexByte(text[n:], ' '); i >= 0 {
			n += i
			n += len(text[n:]) - len(strings.TrimLeft(text[n:], " "))
		} else {
			n = len(text)
		}
		out = append(out, text[:n])
		text = text[n:]
	}
	return out
}

// write puts a line out.
func write(b *strings.Builder, spans []span, color bool) {
	for _, s := range spans {
		if !color || s.style == none || s.text == "" {
			b.WriteString(s.text)
			continue
		}
		b.WriteString(string(s.style) + s.text + "\x1b[0m")
	}
	b.WriteByte('\n')
}
