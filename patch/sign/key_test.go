package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func generate(t testing.TB, kind Type) (crypto.Signer, *PublicKey) {
	t.Helper()
	k, err := Generate(kind)
	if err != nil {
		t.Fatal(err)
	}
	p, err := PublicOf(k)
	if err != nil {
		t.Fatal(err)
	}
	return k, p
}

func passphrase(text string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(text), nil }
}

func TestKeysRoundTrip(t *testing.T) {
	for _, kind := range []Type{Ed25519, ECDSA} {
		k, public := generate(t, kind)
		for _, phrase := range []string{"", "correct horse"} {
			b, err := EncodePrivateKey(k, []byte(phrase))
			if err != nil {
				t.Fatal(err)
			}
			if encrypted := bytes.Contains(b, []byte("ENCRYPTED")); encrypted != (phrase != "") {
				t.Errorf("%s: encrypted: %v", kind, encrypted)
			}
			got, err := ParsePrivateKey(b, passphrase(phrase))
			if err != nil {
				t.Fatal(err)
			}
			if p, _ := PublicOf(got); p.Fingerprint() != public.Fingerprint() {
				t.Errorf("%s: another key came back", kind)
			}
			if _, err := ParsePrivateKey(b, passphrase("wrong")); phrase != "" && !errors.Is(err, ErrPassphrase) {
				t.Errorf("%s: wrong passphrase: %v", kind, err)
			}
		}
		for _, text := range publicForms(t, public) {
			if p, err := ParsePublicKey([]byte(text)); err != nil || p.Fingerprint() != public.Fingerprint() {
				t.Errorf("%s: %s: %v", kind, text, err)
			}
		}
	}
}

// publicForms gives all forms in which a public key is read.
func publicForms(t *testing.T, p *PublicKey) []string {
	s, err := ssh.NewPublicKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return []string{string(p.PEM()), base64.StdEncoding.EncodeToString(p.der) + "\n", string(ssh.MarshalAuthorizedKey(s))}
}

func TestOpenSSHPrivateKeys(t *testing.T) {
	for _, kind := range []Type{Ed25519, ECDSA} {
		k, public := generate(t, kind)
		for _, phrase := range []string{"", "secret"} {
			block, err := ssh.MarshalPrivateKey(k, "comment")
			if phrase != "" {
				block, err = ssh.MarshalPrivateKeyWithPassphrase(k, "comment", []byte(phrase))
			}
			if err != nil {
				t.Fatal(err)
			}
			b := pem.EncodeToMemory(block)
			got, err := ParsePrivateKey(b, passphrase(phrase))
			if err != nil {
				t.Fatal(err)
			}
			if p, _ := PublicOf(got); p.Fingerprint() != public.Fingerprint() {
				t.Errorf("%s: another key came back", kind)
			}
			if _, err := ParsePrivateKey(b, passphrase("wrong")); phrase != "" && !errors.Is(err, ErrPassphrase) {
				t.Errorf("%s: wrong passphrase: %v", kind, err)
			}
		}
	}
}

func TestKeysRefused(t *testing.T) {
	_, public := generate(t, Ed25519)
	private, _ := Generate(ECDSA)
	ec, _ := x509.MarshalECPrivateKey(private.(*ecdsa.PrivateKey))
	wide, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	widePKCS8, _ := x509.MarshalPKCS8PrivateKey(wide)
	r, _ := rsa.GenerateKey(rand.Reader, 2048)
	rsaPKCS8, _ := x509.MarshalPKCS8PrivateKey(r)
	rsaPublic, _ := x509.MarshalPKIXPublicKey(&r.PublicKey)
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	if _, err := ParsePrivateKey([]byte(block("EC PRIVATE KEY", ec)), nil); err != nil {
		t.Errorf("SEC 1: %v", err)
	}
	for text, want := range map[string]string{
		"":                                  "not PEM",
		string(public.PEM()):                "it is a public key",
		block("PRIVATE KEY", widePKCS8):     "P-384",
		block("PRIVATE KEY", rsaPKCS8):      "*rsa.PrivateKey",
		block("RSA PRIVATE KEY", nil):       "of another kind",
		block("PRIVATE KEY", []byte("x")):   "cannot read private key",
		block("CERTIFICATE", nil):           "should be",
		block("ENCRYPTED PRIVATE KEY", nil): "cannot read private key",
	} {
		if _, err := ParsePrivateKey([]byte(text), passphrase("x")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("private %q: got %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                             "neither PEM nor",
		"hello":                        "neither PEM nor",
		block("PRIVATE KEY", nil):      "it is a private key",
		block("PUBLIC KEY", rsaPublic): "*rsa.PublicKey",
		"ssh-ed25519 AAAA":             "cannot read public key",
	} {
		if _, err := ParsePublicKey([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("public %q: got %v, want %q", text, err, want)
		}
	}
	if _, err := Generate("rsa"); err == nil {
		t.Error("rsa")
	}
}

// The vectors of RFC 6979, A.2.5 ("sample", SHA-256), and RFC 8032, 7.1 (test 2).
func TestDeterministic(t *testing.T) {
	for _, kind := range []Type{Ed25519, ECDSA} {
		k, _ := generate(t, kind)
		a, _ := Sign(k, []byte("sample"))
		b, _ := Sign(k, []byte("sample"))
		if !bytes.Equal(a, b) {
			t.Errorf("%s: two signatures differ", kind)
		}
	}
	d := mustHex(t, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Sign(k, []byte("sample"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716" +
		"022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
	if got := hex.EncodeToString(s); got != want {
		t.Errorf("got %s", got)
	}
	seed := mustHex(t, "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
	e, err := Sign(ed25519.NewKeyFromSeed(seed), []byte{0x72})
	if err != nil || !strings.HasPrefix(hex.EncodeToString(e), "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da") {
		t.Errorf("%x, %v", e, err)
	}
}

func mustHex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
