package crypt

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"filippo.io/age/armor"
)

func streamed(r io.Reader, keys Keys) ([]byte, error) {
	s, err := NewStream(r, "file", keys)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(s)
}

func TestStreamSizes(t *testing.T) {
	id := newIdentity(t)
	for _, n := range []int{0, 1, chunkSize, chunkSize + 1, 3*chunkSize + 7} {
		want := pattern(n)
		file := encrypted(t, want, id.Recipient())
		got, err := streamed(iotest.HalfReader(bytes.NewReader(file)), Keys{Identities: []Identity{id}})
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d: got %d bytes, %v", n, len(got), err)
		}
		if got, err := streamed(bytes.NewReader(want), Keys{}); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d in the clear: got %d bytes, %v", n, len(got), err)
		}
	}
}

func TestStreamRefused(t *testing.T) {
	id, other := newIdentity(t), newIdentity(t)
	file := encrypted(t, pattern(2*chunkSize+9), id.Recipient())
	keys := Keys{Identities: []Identity{id}}
	for _, n := range []int{30, 200, len(file) / 2, len(file) - 1, len(file) - 25} {
		if _, err := streamed(bytes.NewReader(file[:n]), keys); err == nil {
			t.Errorf("%d of %d bytes are enough", n, len(file))
		}
	}
	bad := bytes.Clone(file)
	bad[len(bad)-chunkSize] ^= 1
	if _, err := streamed(bytes.NewReader(bad), keys); err == nil {
		t.Error("a flipped bit was not noticed")
	}
	if _, err := streamed(bytes.NewReader(append(bytes.Clone(file), 0)), keys); err == nil {
		t.Error("a byte behind the end was not noticed")
	}
	var missing *IdentityError
	if _, err := streamed(bytes.NewReader(file), Keys{Identities: []Identity{other}}); !errors.As(err, &missing) {
		t.Errorf("with another key: %v", err)
	}
	var b bytes.Buffer
	w := armor.NewWriter(&b)
	w.Write(file)
	w.Close()
	if _, err := streamed(&b, keys); !errors.Is(err, errArmor) {
		t.Errorf("in armor: %v", err)
	}
	if _, err := streamed(iotest.ErrReader(io.ErrClosedPipe), keys); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a pipe that fails: %v", err)
	}
}
