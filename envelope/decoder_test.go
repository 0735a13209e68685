package envelope

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// The decoder below shares no line with the package: it reads the wire format,
// multiplies with crypto/elliptic and decrypts with crypto/cipher.

type wire map[protowire.Number][][]byte

func parseWire(t testing.TB, b []byte) wire {
	t.Helper()
	out := make(wire)
	for len(b) > 0 {
		n, typ, size := protowire.ConsumeTag(b)
		if size < 0 {
			t.Fatalf("bad tag in %x", b)
		}
		b = b[size:]
		size = protowire.ConsumeFieldValue(n, typ, b)
		if size < 0 {
			t.Fatalf("bad field %d", n)
		}
		value := b[:size]
		if typ == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(b)
		}
		out[n] = append(out[n], value)
		b = b[size:]
	}
	return out
}

func (w wire) one(n protowire.Number) []byte {
	if len(w[n]) == 0 {
		return nil
	}
	return w[n][0]
}

// decodeBlock opens a CipherBlock with the device's key.
func decodeBlock(t testing.TB, raw []byte, contexts map[string]wire, private *ecdh.PrivateKey, public *ecdh.PublicKey) []byte {
	t.Helper()
	b := parseWire(t, raw)
	c, ok := contexts[string(b.one(1))]
	if !ok {
		t.Fatalf("context %q is missing", b.one(1))
	}
	for n, want := range map[protowire.Number]byte{2: 1, 3: 1, 4: 1} {
		if !bytes.Equal(c.one(n), []byte{want}) {
			t.Fatalf("context field %d is %x", n, c.one(n))
		}
	}
	block, err := aes.NewCipher(slowKey(private, public))
	if err != nil {
		t.Fatal(err)
	}
	clear := make([]byte, len(b.one(3)))
	cipher.NewCFBDecrypter(block, b.one(2)).XORKeyStream(clear, b.one(3)) //nolint:staticcheck // the other implementation to compare with
	if sum := sha256.Sum256(clear); !bytes.Equal(sum[:], b.one(4)) {
		t.Fatal("clear text has another sha256")
	}
	return clear
}

// slowKey multiplies the points as EVE does.
func slowKey(private *ecdh.PrivateKey, public *ecdh.PublicKey) []byte {
	x, y := elliptic.Unmarshal(elliptic.P256(), public.Bytes()) //nolint:staticcheck // as above
	x, y = elliptic.P256().ScalarMult(x, y, private.Bytes())    //nolint:staticcheck // as above
	sum := sha256.Sum256([]byte(fmt.Sprintf("%s%s", pad(x.Bytes()), pad(y.Bytes()))))
	return sum[:]
}

func pad(b []byte) []byte { return append(make([]byte, 32-len(b)), b...) }

// decodeConfig gives name → content of all blobs of a configuration: base64
// text, or the image id of a volume.
func decodeConfig(t testing.TB, raw []byte, private *ecdh.PrivateKey, public *ecdh.PublicKey) map[string]string {
	t.Helper()
	config := parseWire(t, raw)
	contexts := make(map[string]wire)
	for _, c := range config[19] {
		w := parseWire(t, c)
		contexts[string(w.one(1))] = w
	}
	out := make(map[string]string)
	for _, e := range config[42] {
		for _, artifact := range parseWire(t, e)[5] {
			a := parseWire(t, artifact)
			inline, volume := a.one(2), a.one(3)
			if x := a.one(6); x != nil {
				inline = decodeBlock(t, parseWire(t, x).one(1), contexts, private, public)
			}
			if x := a.one(7); x != nil {
				volume = decodeBlock(t, parseWire(t, x).one(1), contexts, private, public)
			}
			name := ""
			if inline != nil {
				m := parseWire(t, inline)
				name = string(m.one(2))
				out[name] = string(m.one(1))
			} else {
				m := parseWire(t, volume)
				name = string(m.one(2))
				out[name] = string(m.one(4))
			}
			if x := a.one(5); x != nil {
				m := parseWire(t, decodeBlock(t, x, contexts, private, public))
				if !bytes.Equal(m.one(9), []byte{1}) {
					t.Errorf("metadata of %q is for user %x", name, m.one(9))
				}
				out[name+" metadata"] = string(m.one(10))
			}
		}
	}
	return out
}
