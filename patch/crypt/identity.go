package crypt

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"
)

// ParseIdentities reads a file of private keys: those of age, one a line, or
// one SSH key. A file that is encrypted with a passphrase, in either way, is
// decrypted when its keys are needed; ask then gives the passphrase of the file
// called name. Errors never hold anything of the content.
func ParseIdentities(name string, content []byte, ask func(name string) (string, error)) ([]Identity, error) {
	ids, err := parseIdentities(name, content, ask)
	if err != nil {
		return nil, fmt.Errorf("cannot read the identities in %q: %w", name, err)
	}
	return ids, nil
}

func parseIdentities(name string, content []byte, ask func(string) (string, error)) ([]Identity, error) {
	trimmed := bytes.TrimSpace(content)
	switch {
	case bytes.HasPrefix(content, []byte(Magic)):
		return []Identity{&lockedIdentity{name: name, content: content, ask: ask}}, nil
	case bytes.HasPrefix(trimmed, []byte(armorMagic)):
		return []Identity{&lockedIdentity{name: name, content: trimmed, armored: true, ask: ask}}, nil
	case bytes.HasPrefix(trimmed, []byte("-----BEGIN ")):
		id, err := sshIdentity(name, content, ask)
		return []Identity{id}, err
	case bytes.HasPrefix(trimmed, []byte("age1")) || bytes.HasPrefix(trimmed, []byte("ssh-")):
		return nil, errors.New("it holds a public key, and the private one is needed")
	}
	ids, err := age.ParseIdentities(bytes.NewReader(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))))
	if err != nil {
		// age's parser tells lines and kinds, and not what stands in them.
		return nil, fmt.Errorf("%w; a line is AGE-SECRET-KEY-1… or a comment, and an SSH key begins with -----BEGIN", err)
	}
	return ids, nil
}

func sshIdentity(name string, content []byte, ask func(string) (string, error)) (Identity, error) {
	id, err := agessh.ParseIdentity(content)
	if missing := (*ssh.PassphraseMissingError)(nil); errors.As(err, &missing) {
		if missing.PublicKey == nil {
			return nil, errors.New("the SSH key is encrypted in an old form that hides its public key: ssh-keygen -p -f FILE writes the present one")
		}
		return newLockedKey(name, missing.PublicKey, content, ask)
	}
	if err != nil {
		return nil, errors.New("it is no private SSH key of type ssh-ed25519 or ssh-rsa")
	}
	return id, nil
}

// A lockedKey is an SSH key that is encrypted with a passphrase. agessh asks for
// it where the key fits a file, and forgets why there was none.
type lockedKey struct {
	Identity
	name   string
	failed error
}

func newLockedKey(name string, public ssh.PublicKey, content []byte, ask func(string) (string, error)) (Identity, error) {
	k := &lockedKey{name: name}
	id, err := agessh.NewEncryptedSSHIdentity(public, content, func() ([]byte, error) {
		p, err := passphrase(ask, name)
		if err == nil {
			_, err = ssh.ParseRawPrivateKeyWithPassphrase(content, []byte(p))
		}
		if errors.Is(err, x509.IncorrectPasswordError) {
			err = ErrPassphrase
		}
		k.failed = err
		return []byte(p), err
	})
	k.Identity = id
	return k, err
}

// Unwrap implements Identity.
func (k *lockedKey) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	k.failed = nil
	key, err := k.Identity.Unwrap(stanzas)
	if k.failed != nil {
		return nil, &unlockError{k.name, k.failed}
	}
	return key, err
}

// An unlockError is about a file of keys, not about the file that they open.
type unlockError struct {
	name string
	err  error
}

// Error names the file of keys.
func (e *unlockError) Error() string {
	return fmt.Sprintf("cannot unlock the identities in %q: %v", e.name, e.err)
}

// Unwrap returns the cause.
func (e *unlockError) Unwrap() error { return e.err }

func passphrase(ask func(string) (string, error), name string) (string, error) {
	if ask == nil {
		return "", ErrNoPassphrase
	}
	return ask(name)
}

// A lockedIdentity is a file of identities that is encrypted with a passphrase.
type lockedIdentity struct {
	name    string
	content []byte
	armored bool
	ask     func(string) (string, error)

	mu  sync.Mutex
	ids []Identity
}

// Unwrap implements Identity.
func (l *lockedIdentity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if err := l.unlock(); err != nil {
		return nil, &unlockError{l.name, err}
	}
	for _, id := range l.ids {
		key, err := id.Unwrap(stanzas)
		if errors.Is(err, age.ErrIncorrectIdentity) {
			continue
		}
		return key, err
	}
	return nil, age.ErrIncorrectIdentity
}

func (l *lockedIdentity) unlock() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ids != nil {
		return nil
	}
	p, err := passphrase(l.ask, l.name)
	if err != nil {
		return err
	}
	id, err := age.NewScryptIdentity(p)
	if err != nil {
		return err
	}
	var in interface{ Read([]byte) (int, error) } = bytes.NewReader(l.content)
	if l.armored {
		in = armor.NewReader(in)
	}
	clear, err := age.Decrypt(in, id)
	if errors.As(err, new(*age.NoIdentityMatchError)) {
		if strings.Contains(err.Error(), "not passphrase-encrypted") {
			return errors.New("the file is encrypted for recipients, and only passphrases are for identity files")
		}
		return ErrPassphrase
	}
	if err != nil {
		return err
	}
	l.ids, err = age.ParseIdentities(clear)
	return err
}
