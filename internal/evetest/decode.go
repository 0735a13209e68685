// Package evetest opens sealed envelopes in tests.
//
// It shares no line with package envelope: it reads the wire format, multiplies
// with crypto/elliptic and decrypts with crypto/cipher.
package evetest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// T is a test, or a script of one. Fatalf does not return.
type T interface {
	Fatalf(format string, args ...any)
}

// A Message is a message of the wire format: the values of each field.
type Message map[protowire.Number][][]byte

// Parse reads a message.
func Parse(t T, b []byte) Message {
	out := make(Message)
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

func (w Message) one(n protowire.Number) []byte {
	if len(w[n]) == 0 {
		return nil
	}
	return w[n][0]
}

// decodeBlock opens a CipherBlock with the device's key.
func decodeBlock(t T, raw []byte, contexts map[string]Message, private *ecdh.PrivateKey, public *ecdh.PublicKey) []byte {
	b := Parse(t, raw)
	c, ok := contexts[string(b.one(1))]
	if !ok {
		t.Fatalf("context %q is missing", b.one(1))
	}
	for n, want := range map[protowire.Number]byte{2: 1, 3: 1, 4: 1} {
		if !bytes.Equal(c.one(n), []byte{want}) {
			t.Fatalf("context field %d is %x", n, c.one(n))
		}
	}
	block, err := aes.NewCipher(SharedKey(private, public))
	if err != nil {
		t.Fatalf("%v", err)
	}
	clear := make([]byte, len(b.one(3)))
	cipher.NewCFBDecrypter(block, b.one(2)).XORKeyStream(clear, b.one(3)) //nolint:staticcheck // the other implementation to compare with
	if sum := sha256.Sum256(clear); !bytes.Equal(sum[:], b.one(4)) {
		t.Fatalf("%v", "clear text has another sha256")
	}
	return clear
}

// SharedKey multiplies the points as EVE does.
func SharedKey(private *ecdh.PrivateKey, public *ecdh.PublicKey) []byte {
	x, y := elliptic.Unmarshal(elliptic.P256(), public.Bytes()) //nolint:staticcheck // as above
	x, y = elliptic.P256().ScalarMult(x, y, private.Bytes())    //nolint:staticcheck // as above
	sum := sha256.Sum256([]byte(fmt.Sprintf("%s%s", pad(x.Bytes()), pad(y.Bytes()))))
	return sum[:]
}

func pad(b []byte) []byte { return append(make([]byte, 32-len(b)), b...) }

// Config gives name → content of all blobs of a configuration: base64
// text, or the image id of a volume.
func Config(t T, raw []byte, private *ecdh.PrivateKey, public *ecdh.PublicKey) map[string]string {
	config := Parse(t, raw)
	contexts := make(map[string]Message)
	for _, c := range config[19] {
		w := Parse(t, c)
		contexts[string(w.one(1))] = w
	}
	out := make(map[string]string)
	for _, e := range config[42] {
		for _, artifact := range Parse(t, e)[5] {
			a := Parse(t, artifact)
			inline, volume := a.one(2), a.one(3)
			if x := a.one(6); x != nil {
				inline = decodeBlock(t, Parse(t, x).one(1), contexts, private, public)
			}
			if x := a.one(7); x != nil {
				volume = decodeBlock(t, Parse(t, x).one(1), contexts, private, public)
			}
			name := ""
			if inline != nil {
				m := Parse(t, inline)
				name = string(m.one(2))
				out[name] = string(m.one(1))
			} else {
				m := Parse(t, volume)
				name = string(m.one(2))
				out[name] = string(m.one(4))
			}
			if x := a.one(5); x != nil {
				m := Parse(t, decodeBlock(t, x, contexts, private, public))
				if !bytes.Equal(m.one(9), []byte{1}) {
					t.Fatalf("metadata of %q is for user %x", name, m.one(9))
				}
				out[name+" metadata"] = string(m.one(10))
			}
		}
	}
	return out
}
