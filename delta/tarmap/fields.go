package tarmap

import (
	"bytes"
	"fmt"
)

// A Change is what makes a header of a tar out of another one.
type Change struct {
	// Which fields change: the sum of those of Has….
	Which int64
	// Time is the time of modification, in seconds since 1970.
	Time int64
	// Size and Mode are how much more they are than before.
	Size, Mode int64
	// Name, Link and Prefix are texts, without the zeros behind them.
	Name, Link, Prefix []byte
}

// Fields that may change. The checksum follows.
const (
	HasTime = 1 << iota
	HasSize
	HasMode
	HasName
	HasLink
	HasPrefix
	HasAll = 1<<iota - 1
)

// A field is where a header has something.
type field struct{ from, to int }

var (
	name     = field{0, 100}
	mode     = field{100, 108}
	size     = field{124, 136}
	modified = field{136, 148}
	checksum = field{148, 156}
	link     = field{157, 257}
	prefix   = field{345, 500}
)

func (f field) of(h []byte) []byte { return h[f.from:f.to] }

func (f field) text(h []byte) []byte { return bytes.TrimRight(f.of(h), "\x00") }

func (f field) number(h []byte) int64 {
	n, _ := number(f.of(h))
	return n
}

// put writes a number in octal, as all tars have it where it fits: with zeros
// before it and one behind it.
func (f field) put(h []byte, v int64) {
	if v >= 0 && v>>(3*(f.to-f.from-1)) == 0 {
		copy(f.of(h), fmt.Sprintf("%0*o\x00", f.to-f.from-1, v))
	}
}

func (f field) putText(h, text []byte) {
	b := f.of(h)
	clear(b)
	copy(b, text)
}

// Compare gives the change that makes the header now of old; ok is false where
// there is none.
func Compare(old, now []byte) (c Change, ok bool) {
	if modified.number(old) != modified.number(now) {
		c.Which, c.Time = c.Which|HasTime, modified.number(now)
	}
	if d := size.number(now) - size.number(old); d != 0 {
		c.Which, c.Size = c.Which|HasSize, d
	}
	if d := mode.number(now) - mode.number(old); d != 0 {
		c.Which, c.Mode = c.Which|HasMode, d
	}
	texts := []*[]byte{&c.Name, &c.Link, &c.Prefix}
	for i, f := range []field{name, link, prefix} {
		if t := f.text(now); !bytes.Equal(f.of(old), f.of(now)) {
			if bytes.IndexByte(t, 0) >= 0 {
				return c, false
			}
			c.Which, *texts[i] = c.Which|HasName<<i, bytes.Clone(t)
		}
	}
	again := bytes.Clone(old[:Block])
	c.Apply(again)
	return c, bytes.Equal(again, now[:Block])
}

// Apply changes the header h.
func (c *Change) Apply(h []byte) {
	if c.Which&HasTime != 0 {
		modified.put(h, c.Time)
	}
	if c.Which&HasSize != 0 {
		size.put(h, size.number(h)+c.Size)
	}
	if c.Which&HasMode != 0 {
		mode.put(h, mode.number(h)+c.Mode)
	}
	for i, f := range []field{name, link, prefix} {
		if c.Which&(HasName<<i) != 0 {
			f.putText(h, [][]byte{c.Name, c.Link, c.Prefix}[i])
		}
	}
	sum, _ := Checksum(h)
	copy(checksum.of(h), fmt.Sprintf("%06o\x00 ", sum))
}

// Body is how many bytes stand behind a header up to the next: the content and
// its padding; -1 where h is no header.
func Body(h []byte) int64 {
	n, ok := parse(h)
	switch {
	case !ok || n > 1<<44:
		return -1
	case !hasContent(h[156]):
		return 0
	}
	return (n + Block - 1) &^ (Block - 1)
}
