package volume

import (
	"path/filepath"
	"testing"
)

func BenchmarkSplit(b *testing.B) {
	l, err := NewLayout("big", 256<<20, 26<<20, 2)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(l.Size)
	for b.Loop() {
		s, err := Split(b.Context(), noise{}, l, b.TempDir(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		s.Abort()
	}
}

func BenchmarkJoin(b *testing.B) {
	l, err := NewLayout("big", 256<<20, 26<<20, 2)
	if err != nil {
		b.Fatal(err)
	}
	s, err := Split(b.Context(), noise{}, l, b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Publish(); err != nil {
		b.Fatal(err)
	}
	for name, lost := range map[string]int{"whole": 0, "restore": 2} {
		b.Run(name, func(b *testing.B) {
			set, err := Find(s.Paths()[:1], nil)
			if err != nil {
				b.Fatal(err)
			}
			for n := range lost {
				set.Files[n] = nil
			}
			b.SetBytes(l.Size)
			for b.Loop() {
				if _, err := Join(b.Context(), set, filepath.Join(b.TempDir(), "big"), Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
