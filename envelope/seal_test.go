package envelope

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/flotobuild/flotobuild/envelope/evepb"
	"github.com/flotobuild/flotobuild/internal/evetest"
)

func TestIndependentDecoder(t *testing.T) {
	s := testSealer(t)
	e, err := everyKind().Seal(s)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := Marshal(&evepb.EdgeDevConfig{CipherContexts: []*evepb.CipherContext{s.Context()}, PatchEnvelopes: []*evepb.EvePatchEnvelope{e}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"limits.yaml": "bWF4OiA3Cg==", "password": "Y29ycmVjdCBob3JzZQo=",
		"model.bin": "7d7f5a8e-13f4-4d44-8a58-5a8e0f9c0a01", "weights.bin": "7d7f5a8e-13f4-4d44-8a58-5a8e0f9c0a02",
		"notes": "AAH/", "notes metadata": "for Grace only",
	}
	if got := evetest.Config(t, raw, testKey(t, "device"), testCert(t, "controller").Key()); !maps.Equal(got, want) {
		t.Errorf("with the device's key: %q", got)
	}
	if got := evetest.Config(t, raw, testKey(t, "controller"), testCert(t, "device").Key()); !maps.Equal(got, want) {
		t.Errorf("with the controller's key: %q", got)
	}
}

// Random pairs of keys agree with another implementation. Coordinates that
// begin with a zero byte come up about once in 128 pairs.
func TestRoundTrips(t *testing.T) {
	rounds := 10_000
	if testing.Short() {
		rounds = 500
	}
	zeroX, zeroY := 0, 0
	for n := range rounds {
		a, b := newKey(t), newKey(t)
		x, y, err := commonPoint(a, b.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		if x.BitLen() <= 248 {
			zeroX++
		}
		if y.BitLen() <= 248 {
			zeroY++
		}
		key, err := agree(b, a.PublicKey())
		if err != nil || !bytes.Equal(key[:], evetest.SharedKey(a, b.PublicKey())) {
			t.Fatalf("round %d: keys %x and %x agree on something else: %v", n, a.Bytes(), b.Bytes(), err)
		}
		roundTrip(t, key, make([]byte, minCipher+n%100))
	}
	if zeroX == 0 || zeroY == 0 {
		t.Errorf("%d and %d leading zeros only", zeroX, zeroY)
	}
}

func newKey(t testing.TB) *ecdh.PrivateKey {
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func roundTrip(t *testing.T, key [32]byte, clear []byte) {
	t.Helper()
	rand.Read(clear)
	s := &Sealer{key: key, context: &evepb.CipherContext{}}
	b, err := s.Block(clear)
	if err != nil {
		t.Fatal(err)
	}
	back, err := cfb(key, b.GetInitialValue(), b.GetCipherData(), true)
	if err != nil || !bytes.Equal(back, clear) || bytes.Equal(b.GetCipherData(), clear) {
		t.Fatalf("%x came back as %x, %v", clear, back, err)
	}
}

// The private keys 1, 2, n−2 and n−1 make P and Q meet, or the sum the point at
// infinity.
func TestUnusualKeys(t *testing.T) {
	other := newKey(t)
	for _, text := range []string{
		"0000000000000000000000000000000000000000000000000000000000000001",
		"0000000000000000000000000000000000000000000000000000000000000002",
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f",
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
	} {
		k, err := ecdh.P256().NewPrivateKey(unhex(t, text))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []struct{ private, public *ecdh.PrivateKey }{{k, other}, {other, k}, {k, k}} {
			key, err := agree(p.private, p.public.PublicKey())
			if err != nil || !bytes.Equal(key[:], evetest.SharedKey(p.private, p.public.PublicKey())) {
				t.Errorf("key %s: got %x, %v", text, key, err)
			}
		}
	}
}

// A thousand secrets that begin alike: all initial values and all first bytes
// of cipher text differ.
func TestDistinctBlocks(t *testing.T) {
	values, starts := make(map[string]bool), make(map[string]bool)
	controller, cert := newDevice(t, "controller")
	for n := range 20 {
		_, device := newDevice(t, fmt.Sprintf("pump-%d", n))
		s, err := NewSealer(Controller{Key: controller, Certificate: cert}, Device{Certificate: device})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			d := &Definition{Name: "e", Blobs: []Blob{{Name: fmt.Sprintf("secret-%d", i), Content: []byte("the same first bytes for all"), Encrypt: true}}}
			e, err := d.Seal(s)
			if err != nil {
				t.Fatal(err)
			}
			b := e.GetArtifacts()[0].GetEncryptedInline().GetCipherData()
			values[string(b.GetInitialValue())] = true
			starts[string(b.GetCipherData()[:16])] = true
		}
	}
	if len(values) != 1000 || len(starts) != 1000 {
		t.Errorf("%d initial values, %d starts", len(values), len(starts))
	}
}

func TestDamage(t *testing.T) {
	s := testSealer(t)
	secret := []byte("nobody may see this secret, not even a part")
	block, err := s.Block(secret)
	if err != nil {
		t.Fatal(err)
	}
	opener := func(key, peer string, contexts ...*evepb.CipherContext) *Opener {
		o, err := NewOpener(testKey(t, key), contexts, testCert(t, peer))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	good := opener("device", "controller", s.Context())
	for _, c := range []struct {
		name   string
		opener *Opener
		spoil  func(*evepb.CipherBlock)
		want   error
		text   string
	}{
		{"wrong device", opener("other", "controller", s.Context()), nil, ErrClearText, "another key"},
		{"wrong peer", opener("device", "other", s.Context()), nil, ErrClearText, "another key"},
		{"no context", opener("device", "controller"), nil, ErrContext, "is missing"},
		{"changed cipher text", good, func(b *evepb.CipherBlock) { b.CipherData[3] ^= 1 }, ErrClearText, "changed"},
		{"last byte", good, func(b *evepb.CipherBlock) { b.CipherData[len(b.CipherData)-1] ^= 0x80 }, ErrClearText, "changed"},
		{"changed initial value", good, func(b *evepb.CipherBlock) { b.InitialValue[0] ^= 1 }, ErrClearText, "changed"},
		{"changed sum", good, func(b *evepb.CipherBlock) { b.ClearTextSha256[0] ^= 1 }, ErrClearText, "changed"},
		{"truncated", good, func(b *evepb.CipherBlock) { b.CipherData = b.CipherData[:20] }, ErrClearText, "changed"},
		{"stump", good, func(b *evepb.CipherBlock) { b.CipherData = b.CipherData[:15] }, ErrBlock, "15 bytes of cipher text"},
		{"12 bytes of initial value", good, func(b *evepb.CipherBlock) { b.InitialValue = b.InitialValue[:12] }, ErrBlock, "initial value has 12 bytes"},
		{"no sum", good, func(b *evepb.CipherBlock) { b.ClearTextSha256 = nil }, ErrBlock, "clearTextSha256 has 0 bytes"},
		{"nothing", good, func(b *evepb.CipherBlock) { proto.Reset(b) }, ErrContext, "is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := proto.CloneOf(block)
			if c.spoil != nil {
				c.spoil(b)
			}
			clear, err := c.opener.Block(b)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || clear != nil {
				t.Errorf("got %q, %v", clear, err)
			}
		})
	}
	if clear, err := good.Block(block); err != nil || !bytes.Equal(clear, secret) {
		t.Errorf("whole block: %q, %v", clear, err)
	}
}
