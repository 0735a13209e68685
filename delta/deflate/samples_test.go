package deflate

import (
	"bytes"
	"fmt"
	"strings"
)

// A source makes numbers that are the same for ever.
type source uint64

func (s *source) next() uint64 {
	*s ^= *s << 13
	*s ^= *s >> 7
	*s ^= *s << 17
	return uint64(*s)
}

func (s *source) below(n int) int { return int(s.next() >> 16 % uint64(n)) }

// noise is bytes below a bound.
func noise(seed, n, bound int) []byte {
	s := source(seed)
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.below(bound))
	}
	return b
}

// prose is text-like: words of a vocabulary, the first ones often.
func prose(seed, n int) []byte {
	s := source(seed)
	words := make([]string, 4000)
	for i := range words {
		var w strings.Builder
		for range 2 + s.below(9) {
			w.WriteByte(byte('a' + s.below(5)*s.below(6)))
		}
		words[i] = w.String()
	}
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString(words[s.below(1+s.below(len(words)))])
		b.WriteByte(" \n"[s.below(12)/11])
	}
	return b.Bytes()[:n]
}

// table is machine-made: records that differ a little.
func table(seed, n int) []byte {
	s := source(seed)
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%08x\x00\x00\x00%c%c\x7fELF%04d", i*24, s.below(256), s.below(3), s.below(50))
	}
	return b.Bytes()[:n]
}

// samples are contents on which encoders differ: by kind, and by length around
// the borders of buffers and windows.
func samples() map[string][]byte {
	m := map[string][]byte{
		"empty":   {},
		"byte":    {'x'},
		"two":     []byte("ab"),
		"short":   []byte("a man, a plan, a canal, a man, a plan"),
		"random":  noise(1, 150_000, 256),
		"third":   noise(2, 100_000, 3),
		"half":    noise(3, 100_000, 120),
		"zeros":   make([]byte, 400_000),
		"period":  bytes.Repeat([]byte("abcdefg"), 30_000),
		"prose":   prose(4, 400_000),
		"table":   table(5, 200_000),
		"mixture": slicesOf(noise(6, 70_000, 256), prose(7, 150_000), make([]byte, 40_000), table(8, 90_000), noise(9, 33_000, 256)),
	}
	for _, n := range []int{32768, 65275, 65535, 65537, 98042, 163726} {
		m[fmt.Sprintf("prose-%d", n)] = prose(n, n)
	}
	return m
}

func slicesOf(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
