package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// A Type is a kind of key.
type Type string

// The kinds of keys.
const (
	Ed25519 Type = "ed25519"
	ECDSA   Type = "ecdsa" // on the curve P-256, with SHA-256
)

// Generate makes a private key.
func Generate(t Type) (crypto.Signer, error) {
	switch t {
	case Ed25519:
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return k, err
	case ECDSA:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, fmt.Errorf("cannot make a key of type %q: the types are %q and %q", t, Ed25519, ECDSA)
}

// MaxKey bounds the files that keys are read from, in bytes.
const MaxKey = 64 << 10

// A PublicKey checks signatures.
type PublicKey struct {
	key crypto.PublicKey
	der []byte
}

// NewPublicKey takes an ed25519.PublicKey or a *ecdsa.PublicKey on P-256.
func NewPublicKey(k crypto.PublicKey) (*PublicKey, error) {
	switch k := k.(type) {
	case ed25519.PublicKey:
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return nil, fmt.Errorf("its curve is %s, and only P-256 signs patches", k.Curve.Params().Name)
		}
	default:
		return nil, fmt.Errorf("it is a %T, and only Ed25519 and ECDSA keys sign patches", k)
	}
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		return nil, err
	}
	return &PublicKey{k, der}, nil
}

// PublicOf gives the public part of a private key.
func PublicOf(k crypto.Signer) (*PublicKey, error) {
	p, err := NewPublicKey(k.Public())
	if err != nil {
		return nil, fmt.Errorf("cannot use private key: %w", err)
	}
	return p, nil
}

// ParsePublicKey reads a public key: PEM, the base64 of its DER form on a line,
// or a line of OpenSSH.
func ParsePublicKey(b []byte) (*PublicKey, error) {
	k, err := parsePublic(b)
	if err == nil {
		var p *PublicKey
		if p, err = NewPublicKey(k); err == nil {
			return p, nil
		}
	}
	return nil, fmt.Errorf("cannot read public key: %w", err)
}

func parsePublic(b []byte) (crypto.PublicKey, error) {
	text := strings.TrimSpace(string(b))
	if block, _ := pem.Decode(b); block != nil {
		return parsePublicBlock(block)
	}
	if strings.HasPrefix(text, "ssh-") || strings.HasPrefix(text, "ecdsa-") {
		k, _, _, _, err := ssh.ParseAuthorizedKey(b)
		if err != nil {
			return nil, err
		}
		if c, ok := k.(ssh.CryptoPublicKey); ok {
			return c.CryptoPublicKey(), nil
		}
		return nil, fmt.Errorf("keys of type %q do not sign patches", k.Type())
	}
	der, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(der) == 0 {
		return nil, errors.New("it is neither PEM nor the base64 of a public key")
	}
	return x509.ParsePKIXPublicKey(der)
}

func parsePublicBlock(block *pem.Block) (crypto.PublicKey, error) {
	switch {
	case block.Type == "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New("it is a private key, which belongs to nobody but its owner: take the file *.pub")
	}
	return nil, fmt.Errorf("it is %q in PEM and should be %q", block.Type, "PUBLIC KEY")
}

// Fingerprint names the key: the SHA-256 of its DER form, as lower-case hex.
func (p *PublicKey) Fingerprint() string {
	sum := sha256.Sum256(p.der)
	return hex.EncodeToString(sum[:])
}

// PEM gives the key as openssl reads it.
func (p *PublicKey) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: p.der})
}

// Verify says whether s is a signature of the key over message.
func (p *PublicKey) Verify(message []byte, s Signature) bool {
	switch k := p.key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(k, message, s)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		return ecdsa.VerifyASN1(k, sum[:], s)
	}
	return false
}
