package crypt

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"filippo.io/age"
)

// A memory is an Output that takes every byte once.
type memory struct {
	data    []byte
	written []bool
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if need := off + int64(len(p)) - int64(len(m.data)); need > 0 {
		m.data = append(m.data, make([]byte, need)...)
		m.written = append(m.written, make([]bool, need)...)
	}
	for i := range p {
		if m.written[off+int64(i)] {
			return 0, errors.New("a byte is written twice")
		}
		m.written[off+int64(i)] = true
	}
	return copy(m.data[off:], p), nil
}

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m.data).ReadAt(p, off)
}

func newIdentity(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// encrypted gives content as an encrypted file.
func encrypted(t testing.TB, content []byte, recipients ...Recipient) []byte {
	t.Helper()
	m := new(memory)
	w, err := NewWriter(m, recipients)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return m.data
}

// opened reads an encrypted file as a whole.
func opened(file []byte, keys Keys) ([]byte, error) {
	r, err := Open(bytes.NewReader(file), int64(len(file)), "file", keys)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
}

// pattern gives n bytes that differ from place to place.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}
