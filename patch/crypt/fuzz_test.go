package crypt

import (
	"bytes"
	"testing"

	"filippo.io/age"
)

// FuzzOpen reads files of unknown making with a key that knows nobody and one
// that fits every header: neither may crash, or read what is not there.
func FuzzOpen(f *testing.F) {
	id := newIdentity(f)
	file := encrypted(f, []byte("content"), id.Recipient())
	for _, seed := range [][]byte{
		file, file[:40], []byte(Magic), []byte(armorMagic + "\n"), []byte(Magic + "-> X25519 a\nYQ\n--- YQ\n"),
		[]byte(Magic + "-> scrypt a 99\n\n---\n"), bytes.Repeat([]byte(Magic), 3), nil,
	} {
		f.Add(seed)
	}
	keys := Keys{
		Identities: []Identity{id, age.NewInjectedFileKeyIdentity(make([]byte, fileKeySize))},
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := Open(bytes.NewReader(file), int64(len(file)), "file", keys)
		if err != nil {
			return
		}
		b := make([]byte, r.Size()+1)
		if n, err := r.ReadAt(b, 0); err == nil || n > len(file) {
			t.Errorf("%d bytes, %v", n, err)
		}
		if len(r.Recipients()) == 0 {
			t.Error("no recipients")
		}
	})
}

// FuzzRecipients parses what a configuration or a file gives as public keys:
// what is taken wraps a key into a header that reads.
func FuzzRecipients(f *testing.F) {
	f.Add(newIdentity(f).Recipient().String())
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIk5Ulmb6lzpAYgTz0L5Kb1SYmnS4P1eFJHOXCYsD7vh x")
	f.Add("# a\nage1")
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := ParseRecipients("r", []byte(text))
		if err != nil {
			return
		}
		for _, l := range lines {
			r, err := ParseRecipient(l)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := newHeader(make([]byte, fileKeySize), []Recipient{r}); err != nil {
				t.Errorf("%q: %v", l, err)
			}
		}
	})
}
