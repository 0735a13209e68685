package crypt

import (
	"bytes"
	"errors"
	"testing"

	"filippo.io/age"
)

func TestRewrap(t *testing.T) {
	old, one, two := newIdentity(t), newIdentity(t), newIdentity(t)
	want := pattern(2*chunkSize + 5)
	file := encrypted(t, want, old.Recipient())
	var out bytes.Buffer
	err := Rewrap(t.Context(), &out, bytes.NewReader(file), int64(len(file)), RewrapOptions{
		Keys:       Keys{Identities: []Identity{old}},
		Recipients: []Recipient{one.Recipient(), two.Recipient()},
	})
	if err != nil {
		t.Fatal(err)
	}
	payload := file[len(file)-len(want)-3*16-nonceSize:]
	if !bytes.HasSuffix(out.Bytes(), payload) {
		t.Error("the payload is not the same")
	}
	for _, id := range []Identity{one, two} {
		if got, err := opened(out.Bytes(), Keys{Identities: []Identity{id}}); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		if _, err := age.Decrypt(bytes.NewReader(out.Bytes()), id); err != nil {
			t.Errorf("age: %v", err)
		}
	}
	if _, err := opened(out.Bytes(), Keys{Identities: []Identity{old}}); !errors.As(err, new(*IdentityError)) {
		t.Errorf("the old identity: %v", err)
	}
}

// What cannot be rewrapped gives an error before a byte is written.
func TestRewrapRefused(t *testing.T) {
	id := newIdentity(t)
	good := RewrapOptions{Keys: Keys{Identities: []Identity{id}}, Recipients: []Recipient{id.Recipient()}}
	file := encrypted(t, pattern(chunkSize+5), id.Recipient())
	flipped := bytes.Clone(file)
	flipped[50] ^= 1
	for name, c := range map[string]struct {
		file []byte
		o    RewrapOptions
	}{
		"no key":        {file, RewrapOptions{Recipients: good.Recipients}},
		"no recipients": {file, RewrapOptions{Keys: good.Keys}},
		"truncated":     {file[:len(file)-21], good},
		"header":        {flipped, good},
		"clear":         {[]byte("PK\x03\x04 and more of it"), good},
		"empty":         {nil, good},
	} {
		var out bytes.Buffer
		err := Rewrap(t.Context(), &out, bytes.NewReader(c.file), int64(len(c.file)), c.o)
		if err == nil || out.Len() > 0 {
			t.Errorf("%s: %d bytes, %v", name, out.Len(), err)
		}
	}
}

// Hybrid keys wrap in two lines of base64, and share a file with no others.
func TestPostQuantum(t *testing.T) {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRecipient(id.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	file := encrypted(t, []byte("content"), r)
	if got, err := opened(file, Keys{Identities: []Identity{id}}); err != nil || string(got) != "content" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := NewWriter(new(memory), []Recipient{r, newIdentity(t).Recipient()}); err == nil {
		t.Error("mixed with X25519: no error")
	}
}
