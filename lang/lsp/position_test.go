package lsp

import (
	"strings"
	"testing"
)

func TestPositions(t *testing.T) {
	const text = "aß😀b\r\nx\ry\n"
	for _, c := range []struct {
		enc    encoding
		pos    position
		offset int
	}{
		{utf16Encoding, position{0, 2}, 3},
		{utf16Encoding, position{0, 3}, 3}, // within the surrogate pair
		{utf16Encoding, position{0, 4}, 7},
		{utf16Encoding, position{0, 99}, 8},
		{utf8Encoding, position{0, 3}, 3},
		{utf8Encoding, position{0, 7}, 7},
		{utf16Encoding, position{1, 0}, 10},
		{utf16Encoding, position{2, 0}, 12},
		{utf16Encoding, position{3, 0}, 14},
		{utf16Encoding, position{9, 9}, 14},
		{utf16Encoding, position{-1, -1}, 0},
	} {
		if got := newLineIndex([]byte(text), c.enc).offset(c.pos); got != c.offset {
			t.Errorf("%s %+v: got %d, want %d", c.enc, c.pos, got, c.offset)
		}
	}
}

// TestPositionsComeBack: every beginning of a character has a position that leads
// back to it.
func TestPositionsComeBack(t *testing.T) {
	const text = "größe = \"😀\"\r\n\xff\n\n  日本 # é\n"
	for _, enc := range []encoding{utf8Encoding, utf16Encoding} {
		l := newLineIndex([]byte(text), enc)
		for i := range text {
			if strings.HasPrefix(text[i:], "\n") && i > 0 && text[i-1] == '\r' {
				continue // within a line's end
			}
			if got := l.offset(l.position(i)); got != i {
				t.Errorf("%s: %d becomes %+v, and that %d", enc, i, l.position(i), got)
			}
		}
	}
}

func TestApplyChanges(t *testing.T) {
	rng := func(a, b, c, d int) *textRange { return &textRange{position{a, b}, position{c, d}} }
	got := apply([]byte("a😀c\nd\n"), []change{
		{Range: rng(0, 1, 0, 3), Text: "b"},
		{Range: rng(1, 0, 1, 1), Text: "x\ny"},
		{Range: rng(2, 1, 2, 1), Text: "!"},
		{Range: rng(9, 0, 9, 0), Text: "end"},
		{Range: rng(0, 2, 0, 1), Text: "B"}, // turned round
	}, utf16Encoding)
	if want := "aBc\nx\ny!\nend"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := apply(got, []change{{Text: "new"}}, utf16Encoding); string(got) != "new" {
		t.Errorf("got %q", got)
	}
}
