package report

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// after stands for what only a build can tell, and hidden for what nobody is
// told.
const (
	after  = "(known after apply)"
	hidden = "(sensitive value)"
)

// Bytes writes a number of bytes in decimal units, as media sizes are given.
func Bytes(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v := float64(n)
	unit := ""
	for _, unit = range []string{"kB", "MB", "GB", "TB"} {
		v /= 1000
		// What would be written as 1000.0 takes the next unit.
		if v < 999.95 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// Count writes a number with its noun.
func Count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case noun == "patch":
		return fmt.Sprintf("%d patches", n)
	case strings.HasSuffix(noun, "entry"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// estimate writes a number of bytes that is none.
func estimate(n int64) string { return "~" + Bytes(n) }

// Step shortens a build step to a line.
func Step(createdBy string) string {
	const most = 90
	text := strings.Join(strings.Fields(createdBy), " ")
	text = strings.TrimSuffix(text, " # buildkit")
	// RUN steps carry their build args and the shell.
	if _, command, ok := strings.Cut(text, " /bin/sh -c "); ok && strings.HasPrefix(text, "RUN ") {
		text = "RUN " + command
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	if text == "" {
		return "(step unknown)"
	}
	return plain(text)
}

// plain replaces what would steer a terminal, begin a line or change the
// direction of text.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return '\ufffd'
		}
		return r
	}, text)
}

// shortDigest cuts a digest, or the one at the end of a reference, as people
// compare it.
func shortDigest(s string) string {
	const digits = 12
	algorithm, hex, ok := strings.Cut(s[strings.LastIndex(s, "@")+1:], ":")
	if !ok || len(hex) < digits {
		return s
	}
	return algorithm + ":" + hex[:digits]
}

// fromTo writes a change, and what is there where nothing changes.
func fromTo(before, after string) string {
	switch {
	case before == "" || before == after:
		return after
	case after == "":
		return before
	}
	return before + " → " + after
}

// some quotes names, not too many.
func some(names []string, most int) string {
	var out []string
	for _, n := range names[:min(len(names), most)] {
		out = append(out, strconv.Quote(n))
	}
	text := strings.Join(out, ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
