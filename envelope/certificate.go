package envelope

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// hashLength is how many bytes of a certificate's SHA-256 a context names.
const hashLength = 16

// A Certificate is a PEM file with a certificate on P-256, alone or before its
// chain.
type Certificate struct {
	file []byte
	text []byte // the leaf's PEM as the file has it, trimmed
	leaf *x509.Certificate
	key  *ecdh.PublicKey
	// private says that the file has a private key, too.
	private bool
}

// ParseCertificate reads a PEM file. Of a chain the leaf counts: the first
// certificate that is no authority's, or else the first.
func ParseCertificate(data []byte) (*Certificate, error) {
	var out *Certificate
	private := false
	for rest := data; ; {
		block, after := pem.Decode(rest)
		if block == nil {
			break
		}
		text := textOf(rest[:len(rest)-len(after)])
		rest = after
		if block.Type != "CERTIFICATE" {
			private = private || strings.HasSuffix(block.Type, "PRIVATE KEY")
			continue
		}
		leaf, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("cannot read certificate: %w", err)
		}
		if out == nil || out.leaf.IsCA && !leaf.IsCA {
			out = &Certificate{file: bytes.Clone(data), text: text, leaf: leaf}
		}
	}
	if out == nil {
		return nil, errors.New(`cannot read certificate: the file holds no PEM block "CERTIFICATE"`)
	}
	public, ok := out.leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve.Params().Name != "P-256" {
		return nil, fmt.Errorf("cannot use the key of certificate %q: %w", out.Subject(), wrongKind(out.leaf.PublicKey))
	}
	key, err := public.ECDH()
	if err != nil {
		return nil, fmt.Errorf("cannot use the key of certificate %q: %w", out.Subject(), err)
	}
	out.key, out.private = key, private
	return out, nil
}

// textOf takes a block's text out of what pem.Decode consumed for it, which
// may have other text before it.
func textOf(consumed []byte) []byte {
	if n := bytes.LastIndex(consumed, []byte("-----BEGIN ")); n > 0 {
		consumed = consumed[n:]
	}
	return bytes.Clone(bytes.TrimSpace(consumed))
}

// Subject names the certificate for people.
func (c *Certificate) Subject() string { return c.leaf.Subject.String() }

// Key is the certificate's public key.
func (c *Certificate) Key() *ecdh.PublicKey { return c.key }

// HoldsPrivateKey tells whether the file has a private key beside the
// certificate, so that it is not to be handed around as one.
func (c *Certificate) HoldsPrivateKey() bool { return c.private }

// DeviceHash is what a device calls its own certificate: 16 bytes of the
// SHA-256 over its file. The file on a device ends with a line end, and so one
// that was lost on the way is put back.
func (c *Certificate) DeviceHash() []byte {
	file := c.file
	if !bytes.HasSuffix(file, []byte("\n")) {
		file = append(bytes.Clone(file), '\n')
	}
	return hashOf(file)
}

// ControllerHash is what a controller's certificate is called: 16 bytes of the
// SHA-256 over the leaf's PEM without the line end.
func (c *Certificate) ControllerHash() []byte { return hashOf(c.text) }

func hashOf(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:hashLength]
}

// Canonical tells whether the file is what a device would write for the
// certificate. Where it is not, line ends or comments changed on the way, and
// DeviceHash may not be what the device computes.
func (c *Certificate) Canonical() bool {
	want := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.leaf.Raw})
	return bytes.Equal(bytes.TrimSuffix(c.file, []byte("\n")), bytes.TrimSuffix(want, []byte("\n")))
}
