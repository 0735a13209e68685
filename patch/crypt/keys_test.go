package crypt

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"
)

// sshKey gives a private key file and the line of its public key.
func sshKey(t *testing.T, private any, public any, passphrase string) ([]byte, string) {
	t.Helper()
	var block *pem.Block
	var err error
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(private, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block), string(ssh.MarshalAuthorizedKey(key))
}

func TestSSHKeys(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, passphrase := range []string{"", "secret"} {
		for _, k := range []struct{ private, public any }{{private, public}, {rsaKey, &rsaKey.PublicKey}} {
			file, line := sshKey(t, k.private, k.public, passphrase)
			r, err := ParseRecipient(line)
			if err != nil {
				t.Fatal(err)
			}
			asked := 0
			ids, err := ParseIdentities("id", file, func(string) (string, error) { asked++; return "secret", nil })
			if err != nil {
				t.Fatal(err)
			}
			content := encrypted(t, []byte("content"), r)
			if got, err := opened(content, Keys{Identities: ids}); err != nil || string(got) != "content" {
				t.Errorf("%T, passphrase %q: got %q, %v", k.private, passphrase, got, err)
			}
			if want := min(len(passphrase), 1); asked != want {
				t.Errorf("the passphrase was asked for %d times", asked)
			}
		}
	}
}

func TestLockedIdentities(t *testing.T) {
	id := newIdentity(t)
	r, _ := age.NewScryptRecipient("secret")
	r.SetWorkFactor(10)
	locked := encrypted(t, []byte("# comment\n"+id.String()+"\n"), r)
	var armored bytes.Buffer
	a := armor.NewWriter(&armored)
	a.Write(locked)
	a.Close()
	content := encrypted(t, []byte("content"), id.Recipient())
	for _, file := range [][]byte{locked, armored.Bytes()} {
		for p, want := range map[string]error{"secret": nil, "wrong": ErrPassphrase} {
			ids, err := ParseIdentities("key.age", file, func(string) (string, error) { return p, nil })
			if err != nil {
				t.Fatal(err)
			}
			if _, err := opened(content, Keys{Identities: ids}); !errors.Is(err, want) {
				t.Errorf("%s: %v", p, err)
			}
		}
	}
	other := encrypted(t, []byte(id.String()), id.Recipient())
	ids, err := ParseIdentities("key.age", other, func(string) (string, error) { return "secret", nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opened(content, Keys{Identities: ids}); err == nil || !strings.Contains(err.Error(), "encrypted for recipients") {
		t.Errorf("got %v", err)
	}
}

// Nothing of a file of keys, or of what should be a public key, is repeated in
// a message.
func TestSecretsStayOut(t *testing.T) {
	id := newIdentity(t)
	secret := id.String()
	for _, text := range []string{
		secret[:len(secret)-1], secret + "x", strings.ToLower(secret), "password " + secret,
		"-----BEGIN OPENSSH PRIVATE KEY-----\n" + secret + "\n-----END OPENSSH PRIVATE KEY-----\n", id.Recipient().String(), "",
	} {
		_, err := ParseIdentities("keys", []byte(text), nil)
		if err == nil {
			t.Errorf("%q was taken", text)
			continue
		}
		if body := secret[len("AGE-SECRET-KEY-1") : len(secret)-1]; strings.Contains(strings.ToUpper(err.Error()), body) {
			t.Errorf("a message holds the key: %v", err)
		}
	}
	for _, text := range []string{secret, "password", "age1", "age1yubikey1qqq", "ssh-ed25519 AAAA", "ecdsa-sha2-nistp256 AAAA", ""} {
		_, err := ParseRecipient(text)
		if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "password") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseRecipients(t *testing.T) {
	one, two := newIdentity(t).Recipient().String(), newIdentity(t).Recipient().String()
	got, err := ParseRecipients("r", []byte("# the plant\r\n"+one+"\r\n\n  "+two))
	if err != nil || strings.Join(got, " ") != one+" "+two {
		t.Errorf("got %q, %v", got, err)
	}
	for text, want := range map[string]string{
		"":                            "it names none",
		"# none\n":                    "it names none",
		one + "\nage1x\n":             "line 2",
		one + "\n\nAGE-SECRET-KEY-1Q": "line 3: it is a private key",
	} {
		if _, err := ParseRecipients("r", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
