package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
)

// A Signature is the 64 bytes of Ed25519, or ECDSA's pair of numbers in ASN.1.
type Signature []byte

// Bounds of what Decode reads.
const (
	MaxSignatures = 64
	maxBytes      = 128 // of one signature
)

// Sign signs message. k may be held by another program; what it makes is
// checked.
func Sign(k crypto.Signer, message []byte) (Signature, error) {
	s, err := signature(k, message)
	if err != nil {
		return nil, fmt.Errorf("cannot sign: %w", err)
	}
	return s, nil
}

func signature(k crypto.Signer, message []byte) (Signature, error) {
	public, err := NewPublicKey(k.Public())
	if err != nil {
		return nil, err
	}
	var s Signature
	switch k := k.(type) {
	case *ecdsa.PrivateKey:
		sum := sha256.Sum256(message)
		s, err = k.Sign(nil, sum[:], crypto.SHA256) // without a source of chance: RFC 6979
	case ed25519.PrivateKey:
		s = ed25519.Sign(k, message)
	default:
		s, err = signElsewhere(k, message)
	}
	if err == nil && !public.Verify(message, s) {
		err = errors.New("what the key made is not a signature over these bytes")
	}
	return s, err
}

// signElsewhere has another program sign.
func signElsewhere(k crypto.Signer, message []byte) (Signature, error) {
	if _, ok := k.Public().(ed25519.PublicKey); ok {
		return k.Sign(rand.Reader, message, crypto.Hash(0))
	}
	sum := sha256.Sum256(message)
	return k.Sign(rand.Reader, sum[:], crypto.SHA256)
}

// Add adds k's signature over message to the signatures in entry, which may be
// empty. Where k has signed already, entry comes back as it is.
func Add(entry, message []byte, k crypto.Signer) ([]byte, error) {
	signatures, err := Decode(entry)
	if err != nil {
		return nil, err
	}
	public, err := PublicOf(k)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(signatures, func(s Signature) bool { return public.Verify(message, s) }) {
		return entry, nil
	}
	if len(signatures) == MaxSignatures {
		return nil, fmt.Errorf("cannot sign: there are %d signatures, and more are not allowed", MaxSignatures)
	}
	s, err := Sign(k, message)
	if err != nil {
		return nil, err
	}
	return Encode(append(signatures, s)), nil
}

// Encode gives the content of patch-description.json.sig.
func Encode(signatures []Signature) []byte {
	var b []byte
	for _, s := range signatures {
		b = append(base64.StdEncoding.AppendEncode(b, s), '\n')
	}
	return b
}

// Decode reads the content of patch-description.json.sig. There is one form
// only: a line of standard base64 for each signature, which ends with a newline,
// none of them twice. Empty content has no signatures.
func Decode(b []byte) ([]Signature, error) {
	var out []Signature
	for n := 1; len(b) > 0; n++ {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		b = rest
		s, err := decodeLine(line)
		switch {
		case n > MaxSignatures:
			err = fmt.Errorf("more than %d signatures", MaxSignatures)
		case err == nil && !ok:
			err = errors.New("no newline at the end")
		case err == nil && slices.ContainsFunc(out, func(o Signature) bool { return bytes.Equal(o, s) }):
			err = errors.New("the signature stands twice")
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read signatures: line %d: %w", n, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func decodeLine(line []byte) (Signature, error) {
	if len(line) > base64.StdEncoding.EncodedLen(maxBytes) {
		return nil, errors.New("it is longer than a signature")
	}
	s, err := base64.StdEncoding.Strict().AppendDecode(nil, line)
	if err != nil || len(s) == 0 || bytes.ContainsAny(line, "\r") {
		return nil, errors.New("it is not base64")
	}
	return s, nil
}
