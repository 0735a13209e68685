package facts

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// A publicKey verifies signatures: ECDSA P-256 over SHA-256, or Ed25519.
type publicKey struct{ key crypto.PublicKey }

func (k publicKey) verify(message, signature []byte) bool {
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		return ecdsa.VerifyASN1(key, sum[:], signature)
	case ed25519.PublicKey:
		return ed25519.Verify(key, message, signature)
	}
	return false
}

// publicKeys reads files of the project.
func (w *Workspace) publicKeys(names []string) ([]publicKey, error) {
	var out []publicKey
	for _, n := range names {
		b, err := w.text(n)
		if err != nil {
			return nil, err
		}
		k, err := parsePublicKey(b)
		if err != nil {
			return nil, fmt.Errorf("cannot use the key %q: %w", n, err)
		}
		out = append(out, k)
	}
	return out, nil
}

// parsePublicKey reads a PEM file with one public key, as cosign.pub is.
func parsePublicKey(b []byte) (publicKey, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return publicKey{}, errors.New("it is no PEM file")
	}
	if block.Type != "PUBLIC KEY" {
		return publicKey{}, fmt.Errorf("it holds a %q; name the file with the PUBLIC KEY, such as cosign.pub", block.Type)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return publicKey{}, err
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
		return publicKey{k}, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return publicKey{k}, nil
		}
	}
	return publicKey{}, errors.New("it is neither ECDSA P-256 nor Ed25519")
}
