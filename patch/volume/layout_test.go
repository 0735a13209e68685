package volume

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// A layout keeps to the size of the medium and wastes no volume.
func TestLayoutFits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2_000 {
		size := 1 + r.Int64N(1<<(4+r.IntN(36)))
		volumeSize := 1 + r.Int64N(size+2000)
		parity := r.IntN(4) * r.IntN(100)
		l, err := NewLayout("a b'c", size, volumeSize, parity)
		if err != nil {
			continue
		}
		if err := l.check(); err != nil {
			t.Fatalf("%+v: %v", l, err)
		}
		if got := int64(len(newIndex(l).encode()) + footerSize); got != l.overhead() {
			t.Fatalf("%+v: index and footer have %d bytes, want %d", l, got, l.overhead())
		}
		var total int64
		for n := range l.Volumes() {
			if n%50 > 2 && n < l.Data-1 {
				total += l.FileSize(0)
				continue
			}
			if l.FileSize(n) > volumeSize || l.FileSize(n) < 1 {
				t.Fatalf("%+v: volume %d has %d bytes, may have %d", l, n, l.FileSize(n), volumeSize)
			}
			total += l.FileSize(n)
		}
		if total != l.Total() {
			t.Fatalf("%+v: %d bytes, and it says %d", l, total, l.Total())
		}
		if l.Data > 1 && int64(l.Data-1)*(volumeSize-l.overhead()) >= size {
			t.Fatalf("%+v: %d volumes would do", l, l.Data-1)
		}
	}
}

func TestLayoutRefuses(t *testing.T) {
	for _, c := range []struct {
		name       string
		size, vol  int64
		parity     int
		want       string
		wouldStill bool // the size that the message names does
	}{
		{"a", 0, 100, 0, "is empty", false},
		{"a", -1, 100, 0, "is empty", false},
		{"a", 1 << 60, 1 << 55, 0, "too many", false},
		{"a", 1000, 0, 0, "would need too many", true},
		{"a", 1000, -5, 0, "would need too many", true},
		{"a", 1000, 100, 0, "would need too many", true},
		{"a", 10_000_000, 10_500, 0, "there can be 999", true},
		{"a", 10_000_000, 50_000, 56, "there can be 200 beside 56 of parity", true},
		{"a", 1000, 10_000, -1, "parity volumes are impossible", false},
		{"a", 1000, 10_000, 256, "parity volumes are impossible", false},
		{"../a", 1000, 10_000, 0, "characters", false},
		{"a\x00", 1000, 10_000, 0, "characters", false},
		{"a\n", 1000, 10_000, 0, "characters", false},
		{`a\b`, 1000, 10_000, 0, "characters", false},
		{"\xff", 1000, 10_000, 0, "characters", false},
		{"..", 1000, 10_000, 0, "no name", false},
		{"", 1000, 10_000, 0, "no name", false},
		{strings.Repeat("a", 251), 1000, 10_000, 0, "longer", false},
	} {
		_, err := NewLayout(c.name, c.size, c.vol, c.parity)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q %d %d %d: %v", c.name, c.size, c.vol, c.parity, err)
			continue
		}
		if c.wouldStill {
			words := strings.Fields(err.Error())
			if _, err := NewLayout(c.name, c.size, number(t, words[len(words)-4]), c.parity); err != nil {
				t.Errorf("the size that is named does not do: %v", err)
			}
		}
	}
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	var n int64
	for _, r := range s {
		if r < '0' || r > '9' {
			t.Fatalf("%q is no number", s)
		}
		n = 10*n + int64(r-'0')
	}
	return n
}
