package match

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// check fails where matches overlap or leave their bytes.
func check(t *testing.T, target, base []byte, matches []Match) (covered int) {
	t.Helper()
	end := 0
	for _, m := range matches {
		if m.Target < end || m.Length <= 0 || m.Base < 0 || m.End() > len(target) || m.Base+m.Length > len(base) {
			t.Fatalf("match %+v behind %d of %d and %d bytes", m, end, len(target), len(base))
		}
		end = m.End()
		covered += m.Length
	}
	return covered
}

func TestFind(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	base := noise(r, 50_000)
	target := bytes.Join([][]byte{base[30_000:], noise(r, 1000), base[:10_000], base[5000:20_000]}, nil)
	for i := 0; i < len(target); i += 100 {
		target[i]++
	}
	for _, capacity := range []int{1 << 20, 10_000} {
		var x Index
		x.Reset(base, capacity)
		if n := check(t, target, base, Find(target, &x, Binary)); n < len(target)-1200 {
			t.Errorf("with %d positions %d of %d bytes were found", capacity, n, len(target))
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte("some target that is like it"), []byte("some base that is like it"), 10)
	f.Add(bytes.Repeat([]byte{0}, 100), bytes.Repeat([]byte{0}, 90), 3)
	f.Fuzz(func(t *testing.T, target, base []byte, capacity int) {
		var x Index
		x.Reset(base, max(capacity%100, 1))
		check(t, target, base, Find(target, &x, Suited(target)))
	})
}
