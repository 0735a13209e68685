package crypt

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
)

// An Identity is a private key that decrypts. age's own and those of its
// package agessh are such.
type Identity = age.Identity

// Keys are what files are decrypted with. The zero value opens clear files only.
type Keys struct {
	// Identities are tried in order.
	Identities []Identity
	// Passphrase gives the passphrase of the file called name, or
	// ErrNoPassphrase. It is asked only for files that are encrypted with one;
	// nil means that there is none.
	Passphrase func(name string) (string, error)
}

// An IdentityError says that no key fits a file.
type IdentityError struct {
	Recipients []string // the types in the file's header, such as "X25519"
	Given      int      // identities that were tried
}

// Passphrase tells whether it is a passphrase that opens the file.
func (e *IdentityError) Passphrase() bool {
	return len(e.Recipients) == 1 && e.Recipients[0] == typeScrypt
}

// Error names the kinds of recipients, as far as the file tells them.
func (e *IdentityError) Error() string {
	if e.Passphrase() {
		return ErrNoPassphrase.Error()
	}
	kinds := strings.Join(e.Recipients, ", ")
	if e.Given == 0 {
		return fmt.Sprintf("it is encrypted for recipients of type %s, and no identity was given", kinds)
	}
	return fmt.Sprintf("it is encrypted for recipients of type %s, and none of the identities given is among them", kinds)
}

// ErrPassphrase is the error for a wrong passphrase.
var ErrPassphrase = errors.New("the passphrase is wrong")

// ErrNoPassphrase is the error for a missing one.
var ErrNoPassphrase = errors.New("it is encrypted with a passphrase, and none was given")

// typeScrypt is the type of a stanza that a passphrase opens.
const typeScrypt = "scrypt"

// fileKey unwraps the key of the file called name, and checks the header.
func (k *Keys) fileKey(name string, header []byte) ([]byte, error) {
	types := stanzaTypes(header)
	none := &IdentityError{Recipients: types, Given: len(k.Identities)}
	ids := k.Identities
	if none.Passphrase() {
		if k.Passphrase == nil {
			return nil, none
		}
		id, err := passphraseIdentity(k.Passphrase, name)
		if errors.Is(err, ErrNoPassphrase) {
			return nil, none
		}
		if err != nil {
			return nil, err
		}
		ids = []Identity{id}
	}
	if len(ids) == 0 {
		return nil, none
	}
	key, err := age.DecryptHeader(header, ids...)
	if errors.As(err, new(*age.NoIdentityMatchError)) {
		if none.Passphrase() {
			return nil, ErrPassphrase
		}
		return nil, none
	}
	if err != nil && !errors.As(err, new(*unlockError)) {
		err = fmt.Errorf("its header is damaged: %w", err)
	}
	return key, err
}

func passphraseIdentity(ask func(string) (string, error), name string) (*age.ScryptIdentity, error) {
	p, err := ask(name)
	if err != nil {
		return nil, err
	}
	return age.NewScryptIdentity(p)
}

// stanzaTypes lists the types of recipients, each once, in the order of a
// header that age has parsed.
func stanzaTypes(header []byte) []string {
	var out []string
	seen := make(map[string]bool)
	for line := range bytes.Lines(header) {
		rest, ok := bytes.CutPrefix(line, []byte("-> "))
		if !ok {
			continue
		}
		t, _, _ := strings.Cut(strings.TrimSpace(string(rest)), " ")
		if !seen[t] {
			out = append(out, t)
		}
		seen[t] = true
	}
	return out
}
