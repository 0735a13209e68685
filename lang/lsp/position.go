package lsp

import (
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// An encoding is what positions within a line are counted in.
type encoding string

const (
	utf8Encoding  encoding = "utf-8"
	utf16Encoding encoding = "utf-16"
)

// A lineIndex converts between offsets and positions of a text. Lines end with
// \n, \r\n or \r, as the protocol has it.
type lineIndex struct {
	text   []byte
	starts []int // offsets of the lines
	enc    encoding
}

func newLineIndex(text []byte, enc encoding) *lineIndex {
	l := &lineIndex{text: text, starts: []int{0}, enc: enc}
	for i, c := range text {
		if c == '\n' || c == '\r' && (i+1 == len(text) || text[i+1] != '\n') {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// offset is that of a position. Positions behind a line's end mean its end, and
// those behind the last line the end of the text.
func (l *lineIndex) offset(p position) int {
	if p.Line < 0 || p.Character < 0 {
		return 0
	}
	if p.Line >= len(l.starts) {
		return len(l.text)
	}
	at, end := l.starts[p.Line], l.lineEnd(p.Line)
	for left := p.Character; left > 0 && at < end; {
		r, size := utf8.DecodeRune(l.text[at:end])
		left -= l.units(r, size)
		if left < 0 {
			break // within a character: before it
		}
		at += size
	}
	return at
}

// lineEnd is the offset of a line's end, before what ends it.
func (l *lineIndex) lineEnd(line int) int {
	end := len(l.text)
	if line+1 < len(l.starts) {
		end = l.starts[line+1]
	}
	for end > l.starts[line] && (l.text[end-1] == '\n' || l.text[end-1] == '\r') {
		end--
	}
	return end
}

func (l *lineIndex) units(r rune, size int) int {
	switch {
	case l.enc == utf8Encoding:
		return size
	case r > 0xFFFF:
		return 2
	}
	return 1
}

// position is that of an offset.
func (l *lineIndex) position(offset int) position {
	offset = max(0, min(offset, len(l.text)))
	line, high := 0, len(l.starts)
	for high-line > 1 {
		if mid := (line + high) / 2; l.starts[mid] <= offset {
			line = mid
		} else {
			high = mid
		}
	}
	p := position{Line: line}
	for at := l.starts[line]; at < offset; {
		r, size := utf8.DecodeRune(l.text[at:])
		p.Character += l.units(r, size)
		at += size
	}
	return p
}

func (l *lineIndex) span(start, end int) textRange {
	return textRange{l.position(start), l.position(max(start, end))}
}

func (l *lineIndex) textRange(r hcl.Range) textRange { return l.span(r.Start.Byte, r.End.Byte) }
