package crypt

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"
)

// fileKeySize is the number of bytes of the key that a header wraps.
const fileKeySize = 16

// newHeader wraps a file's key for recipients. age's own functions do so for
// new keys only, and Rewrap keeps the old one.
func newHeader(fileKey []byte, recipients []Recipient) ([]byte, error) {
	if len(recipients) == 0 {
		return nil, errors.New("no recipient is named")
	}
	var b bytes.Buffer
	b.WriteString(Magic)
	var first []string
	for i, r := range recipients {
		stanzas, labels, err := wrap(r, fileKey)
		if err != nil {
			return nil, fmt.Errorf("recipient %d: %w", i+1, err)
		}
		if i > 0 && !slices.Equal(first, labels) {
			return nil, incompatible(recipients)
		}
		first = labels
		for _, s := range stanzas {
			writeStanza(&b, s)
		}
	}
	b.WriteString("---")
	mac, err := headerMAC(fileKey, b.Bytes())
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, " %s\n", base64.RawStdEncoding.EncodeToString(mac))
	return b.Bytes(), checkHeader(b.Bytes())
}

// wrap gives the stanzas of one recipient, and labels: recipients with
// different ones must not share a file.
func wrap(r Recipient, fileKey []byte) ([]*age.Stanza, []string, error) {
	l, ok := r.(age.RecipientWithLabels)
	if !ok {
		stanzas, err := r.Wrap(fileKey)
		return stanzas, nil, err
	}
	stanzas, labels, err := l.WrapWithLabels(fileKey)
	slices.Sort(labels)
	return stanzas, labels, err
}

func incompatible(recipients []Recipient) error {
	for _, r := range recipients {
		if _, ok := r.(*age.ScryptRecipient); ok {
			return errors.New("a passphrase must be the only recipient")
		}
	}
	return errors.New("post-quantum recipients (age1pq1…) and others cannot share a file, whose secrecy would be that of the others")
}

// writeStanza writes one wrapped key: a line of words, and the body in lines of
// 64 characters, of which the last is shorter.
func writeStanza(b *bytes.Buffer, s *age.Stanza) {
	const columns = 64
	b.WriteString("-> " + strings.Join(append([]string{s.Type}, s.Args...), " ") + "\n")
	body := base64.RawStdEncoding.EncodeToString(s.Body)
	for len(body) >= columns {
		b.WriteString(body[:columns] + "\n")
		body = body[columns:]
	}
	b.WriteString(body + "\n")
}

func headerMAC(fileKey, text []byte) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, fileKey, nil, "header", sha256.Size)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil), nil
}

// checkHeader lets age read a header that was written here.
func checkHeader(header []byte) error {
	got, err := age.ExtractHeader(bytes.NewReader(header))
	if err == nil && !bytes.Equal(got, header) {
		err = errors.New("it reads as another one")
	}
	if err != nil {
		return fmt.Errorf("the recipients give no valid header: %w", err)
	}
	return nil
}
