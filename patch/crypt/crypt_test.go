package crypt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"filippo.io/age"
)

// What is written here age decrypts, and the other way round, at all sizes
// around the edges of chunks.
func TestSizes(t *testing.T) {
	id := newIdentity(t)
	for _, n := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, 5*chunkSize + 7} {
		want := pattern(n)
		file := encrypted(t, want, id.Recipient())
		r, err := age.Decrypt(bytes.NewReader(file), id)
		if err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d: age reads %d bytes, %v", n, len(got), err)
		}
		var theirs bytes.Buffer
		w, err := age.Encrypt(&theirs, id.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		w.Write(want)
		w.Close()
		for _, file := range [][]byte{file, theirs.Bytes()} {
			if got, err := opened(file, Keys{Identities: []Identity{id}}); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d: got %d bytes, %v", n, len(got), err)
			}
		}
	}
}

// Headers of entries are written again when their content is known. No byte
// reaches the output twice, and what was written can be read back on the way.
func TestHold(t *testing.T) {
	id := newIdentity(t)
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			m := new(memory)
			w, err := NewWriter(m, []Recipient{id.Recipient()})
			if err != nil {
				t.Fatal(err)
			}
			var want []byte
			write := func(p []byte) {
				if n, err := w.Write(p); n != len(p) || err != nil {
					t.Fatal(n, err)
				}
				want = append(want, p...)
			}
			for range 1 + rnd.IntN(12) {
				head, at := 1+rnd.IntN(400), len(want)
				w.Hold(head)
				write(make([]byte, head))
				for range rnd.IntN(4) {
					write(pattern(rnd.IntN(2 * chunkSize)))
				}
				if rnd.IntN(8) > 0 {
					copy(want[at:], pattern(head))
					if _, err := w.WriteAt(pattern(head), int64(at)); err != nil {
						t.Fatal(err)
					}
				}
				if len(w.waiting) > 3 {
					t.Fatalf("%d chunks wait in memory", len(w.waiting))
				}
				from := rnd.IntN(len(want))
				got := make([]byte, rnd.IntN(len(want)-from+1))
				if _, err := w.ReadAt(got, int64(from)); err != nil || !bytes.Equal(got, want[from:from+len(got)]) {
					t.Fatalf("read back %d bytes at %d: %v", len(got), from, err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(want))
			if _, err := w.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
				t.Errorf("after Close: %v", err)
			}
			if got, err := opened(m.data, Keys{Identities: []Identity{id}}); err != nil || !bytes.Equal(got, want) {
				t.Errorf("got %d of %d bytes, %v", len(got), len(want), err)
			}
		})
	}
}

func TestWriteAtHoldsOnly(t *testing.T) {
	w, err := NewWriter(new(memory), []Recipient{newIdentity(t).Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	w.Hold(8)
	w.Write(make([]byte, 16))
	for _, c := range []struct{ off, n int }{{0, 9}, {0, 7}, {1, 7}, {8, 8}} {
		if _, err := w.WriteAt(make([]byte, c.n), int64(c.off)); err == nil {
			t.Errorf("%d bytes at %d were taken", c.n, c.off)
		}
	}
	if _, err := w.WriteAt(make([]byte, 8), 0); err != nil {
		t.Error(err)
	}
	if _, err := w.WriteAt(make([]byte, 8), 0); err == nil {
		t.Error("taken twice")
	}
}

// A changed byte anywhere, a file cut off anywhere, chunks dropped, doubled or
// exchanged, and bytes behind the end: all are refused.
func TestDamage(t *testing.T) {
	id := newIdentity(t)
	keys := Keys{Identities: []Identity{id}}
	file := encrypted(t, pattern(3*chunkSize+100), id.Recipient())
	start := bytes.Index(file, []byte("\n---")) + len("\n--- ") + 43 + 1 + nonceSize
	part := func(i int) []byte {
		return file[start+i*sealedChunk : min(start+(i+1)*sealedChunk, len(file))]
	}
	refused := func(name string, parts ...[]byte) {
		t.Helper()
		if got, err := opened(bytes.Join(parts, nil), keys); err == nil {
			t.Errorf("%s: %d bytes were read", name, len(got))
		}
	}
	for at := 0; at < len(file); at++ {
		if at > start && at < len(file)-200 && at%977 != 0 {
			continue
		}
		b := bytes.Clone(file)
		b[at] ^= 1 << (at % 8)
		refused(fmt.Sprintf("flip at %d", at), b)
	}
	for n := range len(file) {
		if near := (n - start) % sealedChunk; near < 20 || near > sealedChunk-20 || n < start {
			refused(fmt.Sprintf("cut to %d", n), file[:n])
		}
	}
	head := file[:start]
	refused("first chunk missing", head, part(1), part(2), part(3))
	refused("last chunk missing", head, part(0), part(1), part(2))
	refused("exchanged", head, part(1), part(0), part(2), part(3))
	refused("doubled", head, part(0), part(0), part(1), part(2), part(3))
	refused("longer", file, []byte{0})
	refused("last chunk twice", file, part(3))
	if _, err := opened(file, keys); err != nil {
		t.Errorf("whole: %v", err)
	}
}

func TestDamageNamesThePlace(t *testing.T) {
	id := newIdentity(t)
	file := encrypted(t, pattern(3*chunkSize), id.Recipient())
	file[len(file)-sealedChunk-1] ^= 1
	_, err := opened(file, Keys{Identities: []Identity{id}})
	if err == nil || !strings.Contains(err.Error(), "damaged at byte 65536 of its content") {
		t.Errorf("got %v", err)
	}
}

func TestNoKey(t *testing.T) {
	file := encrypted(t, []byte("x"), newIdentity(t).Recipient(), newIdentity(t).Recipient())
	for _, c := range []struct {
		keys Keys
		want string
	}{
		{Keys{}, "cannot decrypt: it is encrypted for recipients of type X25519, and no identity was given"},
		{
			Keys{Identities: []Identity{newIdentity(t)}},
			"cannot decrypt: it is encrypted for recipients of type X25519, and none of the identities given is among them",
		},
	} {
		_, err := opened(file, c.keys)
		if !errors.As(err, new(*IdentityError)) || err.Error() != c.want {
			t.Errorf("got %v", err)
		}
	}
}

func TestPassphrase(t *testing.T) {
	r, err := age.NewScryptRecipient("open sesame")
	if err != nil {
		t.Fatal(err)
	}
	r.SetWorkFactor(10)
	file := encrypted(t, []byte("content"), r)
	give := func(p string, err error) Keys {
		return Keys{Passphrase: func(string) (string, error) { return p, err }}
	}
	if got, err := opened(file, give("open sesame", nil)); err != nil || string(got) != "content" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := opened(file, give("sesame", nil)); !errors.Is(err, ErrPassphrase) {
		t.Errorf("wrong: %v", err)
	}
	boom := errors.New("boom")
	if _, err := opened(file, give("", boom)); !errors.Is(err, boom) {
		t.Errorf("none: %v", err)
	}
	if _, err := opened(file, Keys{Identities: []Identity{newIdentity(t)}}); !errors.As(err, new(*IdentityError)) {
		t.Errorf("no function: %v", err)
	}
	if _, err := NewWriter(new(memory), []Recipient{r, newIdentity(t).Recipient()}); err == nil || !strings.Contains(err.Error(), "only recipient") {
		t.Errorf("mixed: %v", err)
	}
	if _, err := NewWriter(new(memory), nil); err == nil {
		t.Error("no recipients: no error")
	}
}
