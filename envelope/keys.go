package envelope

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ParsePrivateKey reads a P-256 key from PEM: PKCS#8, SEC1, or SEC1 under the
// label of PKCS#8, as some controllers write it. Curve parameters and
// certificates beside it are skipped. Errors never hold a part of the key.
func ParsePrivateKey(data []byte) (*ecdh.PrivateKey, error) {
	seen := false
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		seen = true
		switch {
		case strings.Contains(block.Type, "ENCRYPTED"), block.Headers["Proc-Type"] != "":
			return nil, errors.New("cannot read private key: it is locked with a passphrase; write it without one, in a file that only you can read")
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return parseKey(block.Bytes)
		}
	}
	if !seen {
		return nil, errors.New("cannot read private key: the file holds no PEM block")
	}
	return nil, errors.New(`cannot read private key: the file holds no PEM block "PRIVATE KEY" or "EC PRIVATE KEY"`)
}

// parseKey takes either form whatever the label says.
func parseKey(der []byte) (*ecdh.PrivateKey, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return privateOf(key)
	}
	key, err := x509.ParseECPrivateKey(der)
	if err == nil {
		return privateOf(key)
	}
	if key, rsaErr := x509.ParsePKCS1PrivateKey(der); rsaErr == nil {
		return privateOf(key)
	}
	return nil, fmt.Errorf("cannot read private key: neither PKCS#8 nor SEC1 with a curve that is known: %w", err)
}

func privateOf(key any) (*ecdh.PrivateKey, error) {
	k, ok := key.(*ecdsa.PrivateKey)
	if !ok || k.Curve.Params().Name != "P-256" {
		return nil, fmt.Errorf("cannot use private key: %w", wrongKind(key))
	}
	private, err := k.ECDH()
	if err != nil {
		return nil, fmt.Errorf("cannot use private key: %w", err)
	}
	return private, nil
}

// wrongKind says what a key is that is no key on P-256.
func wrongKind(key any) error {
	kind := "of an unknown kind"
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		kind = "on the curve " + k.Curve.Params().Name
	case *ecdsa.PublicKey:
		kind = "on the curve " + k.Curve.Params().Name
	case *rsa.PrivateKey, *rsa.PublicKey:
		kind = "an RSA key"
	case ed25519.PrivateKey, ed25519.PublicKey:
		kind = "an Ed25519 key"
	case *ecdh.PrivateKey, *ecdh.PublicKey:
		kind = "an X25519 key"
	}
	return fmt.Errorf("it is %s, and EVE encrypts with keys on the curve P-256 only", kind)
}
