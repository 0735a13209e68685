package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/youmark/pkcs8"
	"golang.org/x/crypto/ssh"
)

// ErrPassphrase is the error for a passphrase that does not open a key.
var ErrPassphrase = errors.New("the passphrase does not open it")

// encryption is what every openssl since 1.1 reads: scrypt with parameters of
// the same strength needs more memory than openssl allows.
func encryption() *pkcs8.Opts {
	return &pkcs8.Opts{
		Cipher:  pkcs8.AES256CBC,
		KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: 600_000, HMACHash: crypto.SHA256},
	}
}

// EncodePrivateKey gives a private key in PEM, encrypted unless the passphrase
// is empty.
func EncodePrivateKey(k crypto.Signer, passphrase []byte) ([]byte, error) {
	block := &pem.Block{Type: "PRIVATE KEY"}
	var err error
	if len(passphrase) == 0 {
		block.Bytes, err = x509.MarshalPKCS8PrivateKey(k)
	} else {
		block.Type = "ENCRYPTED PRIVATE KEY"
		block.Bytes, err = pkcs8.MarshalPrivateKey(k, passphrase, encryption())
	}
	if err != nil {
		return nil, fmt.Errorf("cannot encode private key: %w", err)
	}
	return pem.EncodeToMemory(block), nil
}

// ParsePrivateKey reads a private key in PEM: PKCS#8, SEC 1, or OpenSSH's form.
// passphrase is called when the key is encrypted.
func ParsePrivateKey(b []byte, passphrase func() ([]byte, error)) (crypto.Signer, error) {
	k, err := parsePrivate(b, passphrase)
	if err != nil {
		return nil, fmt.Errorf("cannot read private key: %w", err)
	}
	return k, nil
}

func parsePrivate(b []byte, passphrase func() ([]byte, error)) (crypto.Signer, error) {
	block, rest := pem.Decode(b)
	if block != nil && block.Type == "EC PARAMETERS" { // openssl ecparam writes them in front
		block, _ = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	k, err := parsePrivateBlock(block, b, passphrase)
	if err != nil {
		return nil, err
	}
	signer, err := signerOf(k)
	if err != nil {
		return nil, err
	}
	_, err = NewPublicKey(signer.Public())
	return signer, err
}

func parsePrivateBlock(block *pem.Block, whole []byte, passphrase func() ([]byte, error)) (any, error) {
	switch {
	case block.Type == "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case block.Type == "EC PRIVATE KEY" && block.Headers["DEK-Info"] == "":
		return x509.ParseECPrivateKey(block.Bytes)
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return parseEncrypted(block.Bytes, passphrase)
	case block.Type == "OPENSSH PRIVATE KEY":
		return parseOpenSSH(whole, passphrase)
	case block.Type == "PUBLIC KEY":
		return nil, errors.New("it is a public key: the private one signs")
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, fmt.Errorf("%q is of another kind: only Ed25519 and ECDSA keys (P-256) in PKCS#8 sign patches", block.Type)
	}
	return nil, fmt.Errorf("it is %q in PEM and should be %q", block.Type, "PRIVATE KEY")
}

func parseEncrypted(der []byte, passphrase func() ([]byte, error)) (any, error) {
	p, err := passphrase()
	if err != nil {
		return nil, err
	}
	k, _, err := pkcs8.ParsePrivateKey(der, p)
	if err != nil && strings.Contains(err.Error(), "incorrect password") {
		err = ErrPassphrase
	}
	return k, err
}

func parseOpenSSH(b []byte, passphrase func() ([]byte, error)) (any, error) {
	k, err := ssh.ParseRawPrivateKey(b)
	var missing *ssh.PassphraseMissingError
	if !errors.As(err, &missing) {
		return k, err
	}
	p, err := passphrase()
	if err != nil {
		return nil, err
	}
	k, err = ssh.ParseRawPrivateKeyWithPassphrase(b, p)
	if errors.Is(err, x509.IncorrectPasswordError) {
		err = ErrPassphrase
	}
	return k, err
}

func signerOf(k any) (crypto.Signer, error) {
	switch k := k.(type) {
	case ed25519.PrivateKey:
		return k, nil
	case *ed25519.PrivateKey:
		return *k, nil
	case *ecdsa.PrivateKey:
		return k, nil
	}
	return nil, fmt.Errorf("it is a %T, and only Ed25519 and ECDSA keys sign patches", k)
}
