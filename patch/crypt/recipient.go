package crypt

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
)

// A Recipient is a public key, or a passphrase, that files are encrypted for.
type Recipient = age.Recipient

// ParseRecipient reads a public key: age's ("age1…", "age1pq1…"), or a line of
// an SSH key file ("ssh-ed25519 …", "ssh-rsa …").
func ParseRecipient(text string) (Recipient, error) {
	r, err := parseRecipient(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("cannot read recipient %q: %w", shown(text), err)
	}
	return r, nil
}

func parseRecipient(text string) (Recipient, error) {
	var r Recipient
	var err error
	switch {
	case private(text):
		return nil, errors.New("it is a private key, and the public one is needed: age-keygen -y, or the file *.pub of an SSH key, has it")
	case strings.HasPrefix(text, "age1pq1"):
		r, err = age.ParseHybridRecipient(text)
	case strings.HasPrefix(text, "age1") && strings.Count(text, "1") > 1:
		return nil, errors.New("it needs a plugin of age, and plugins are not run")
	case strings.HasPrefix(text, "age1"):
		r, err = age.ParseX25519Recipient(text)
	case strings.HasPrefix(text, "ssh-"):
		r, err = agessh.ParseRecipient(text)
	default:
		return nil, errors.New("a recipient is a public key that begins with age1, ssh-ed25519 or ssh-rsa")
	}
	if err != nil {
		return nil, fmt.Errorf("it is damaged, or of a type that cannot encrypt: %w", err)
	}
	return r, nil
}

func private(text string) bool {
	return strings.HasPrefix(strings.ToUpper(text), "AGE-") || strings.HasPrefix(text, "-----BEGIN")
}

// shown is what a message may say of a recipient that may be something else:
// a private key, or a passphrase, has no place there.
func shown(text string) string {
	if text = strings.TrimSpace(text); !strings.HasPrefix(text, "age1") && !strings.HasPrefix(text, "ssh-") {
		return "…"
	}
	if len(text) > 80 {
		return text[:80] + "…"
	}
	return text
}

// ParseRecipients reads a file of public keys, one a line; empty lines and
// those that begin with "#" mean nothing. It gives them as text, for
// ParseRecipient, each of them checked.
func ParseRecipients(name string, content []byte) ([]string, error) {
	var out []string
	n := 0
	for line := range bytes.Lines(content) {
		n++
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if _, err := parseRecipient(text); err != nil {
			return nil, fmt.Errorf("cannot read the recipients in %q: line %d: %w", name, n, err)
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("cannot read the recipients in %q: it names none", name)
	}
	return out, nil
}

// NewPassphrase makes a passphrase a recipient. It must then be the only one,
// so that whoever can decrypt the file knows that it comes from somebody who
// has the passphrase. Deriving the key takes about a second.
func NewPassphrase(passphrase string) (Recipient, error) {
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, errors.New("cannot encrypt with an empty passphrase")
	}
	return r, nil
}
