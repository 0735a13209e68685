package crypt

import (
	"bytes"
	"io"
	"testing"
)

// discardOutput counts nothing and keeps nothing.
type discardOutput struct{}

func (discardOutput) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (discardOutput) ReadAt([]byte, int64) (int, error)      { return 0, io.EOF }

func BenchmarkWrite(b *testing.B) {
	w, err := NewWriter(discardOutput{}, []Recipient{newIdentity(b).Recipient()})
	if err != nil {
		b.Fatal(err)
	}
	p := make([]byte, 1<<20)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Write(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadSequential(b *testing.B) {
	id := newIdentity(b)
	file := encrypted(b, make([]byte, 64<<20), id.Recipient())
	b.SetBytes(64 << 20)
	b.ReportAllocs()
	for b.Loop() {
		r, err := Open(bytes.NewReader(file), int64(len(file)), "file", Keys{Identities: []Identity{id}})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.NewSectionReader(r, 0, r.Size()), make([]byte, 32<<10)); err != nil {
			b.Fatal(err)
		}
	}
}
