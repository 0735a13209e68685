package delta

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestOpensWhatPays says that a compressed file is opened where what it holds is
// like something, and left as it is where that would save little.
func TestOpensWhatPays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	text := func(n int) (b []byte) {
		for len(b) < n {
			b = append(strconv.AppendInt(b, int64(r.Uint32()), 36), " line\n"...)
		}
		return b
	}
	zip := func(b []byte) []byte {
		var out bytes.Buffer
		z, _ := gzip.NewWriterLevel(&out, 9)
		_, _ = z.Write(b)
		_ = z.Close()
		return out.Bytes()
	}
	layer := func(b []byte) []byte {
		f := file{form: formV7, content: b}
		f.Name = "usr/share/doc/changelog.gz"
		return append(f.raw(), make([]byte, 1024)...)
	}
	old := text(200_000)
	base := layer(zip(old))
	for name, test := range map[string]struct {
		target []byte
		opened bool
	}{
		"changed":   {append(text(2000), old...), true},
		"different": {text(200_000), false},
	} {
		target := layer(zip(test.target))
		d := create(t, target, Options{}, layerOf(base))
		if got := applied(t, d, layerOf(base)); !bytes.Equal(got, target) {
			t.Errorf("%s: it came back otherwise", name)
		}
		seen := make(map[string]bool)
		look(t, d, seen)
		if seen["operation "+string('0'+opGzip)] != test.opened {
			t.Errorf("%s: opened is %v", name, !test.opened)
		}
	}
}
