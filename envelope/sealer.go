package envelope

import (
	"bytes"
	"crypto/aes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// A Controller is the side that seals.
type Controller struct {
	Key *ecdh.PrivateKey
	// Certificate belongs to Key. It may be missing where Hash is given.
	Certificate *Certificate
	// Hash replaces the certificate's hash, for controllers that compute it in
	// another way: 16 bytes, or 32 together with the device's.
	Hash []byte
}

// A Device is the side that opens.
type Device struct {
	Certificate *Certificate
	// Hash replaces the certificate's hash, as in Controller.
	Hash []byte
}

// A Sealer encrypts for one device. It is safe for concurrent use.
type Sealer struct {
	context *evepb.CipherContext
	key     [32]byte
}

// NewSealer prepares the key that controller and device have in common, and the
// context that names their certificates.
func NewSealer(c Controller, d Device) (*Sealer, error) {
	if c.Key == nil || d.Certificate == nil {
		return nil, errors.New("cannot encrypt: it takes the controller's key and the device's certificate")
	}
	if c.Certificate != nil && !c.Certificate.key.Equal(c.Key.PublicKey()) {
		return nil, fmt.Errorf("cannot encrypt: the controller's key does not belong to certificate %q", c.Certificate.Subject())
	}
	if c.Certificate == nil && c.Hash == nil {
		return nil, errors.New("cannot encrypt: neither the controller's certificate nor its hash is given")
	}
	deviceHash, controllerHash := d.Hash, c.Hash
	if deviceHash == nil {
		deviceHash = d.Certificate.DeviceHash()
	}
	if controllerHash == nil {
		controllerHash = c.Certificate.ControllerHash()
	}
	context, err := newContext(controllerHash, deviceHash)
	if err != nil {
		return nil, err
	}
	key, err := agree(c.Key, d.Certificate.key)
	if err != nil {
		return nil, err
	}
	return &Sealer{context: context, key: key}, nil
}

// newContext names a pair of certificates. Its id follows from their hashes, so
// that all envelopes of a pair share one context.
func newContext(controller, device []byte) (*evepb.CipherContext, error) {
	scheme := evepb.HashAlgorithm_HASH_ALGORITHM_SHA256_16BYTES
	switch {
	case len(controller) != len(device):
		return nil, fmt.Errorf("cannot name the certificates: the controller's hash has %d bytes and the device's %d; both take 16, or both 32", len(controller), len(device))
	case len(device) == sha256.Size:
		scheme = evepb.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES
	case len(device) != hashLength:
		return nil, fmt.Errorf("cannot name the certificates: their hashes have %d bytes; it takes 16 or 32", len(device))
	}
	return &evepb.CipherContext{
		ContextId:          uuid.NewSHA1(uuid.Nil, append(bytes.Clone(controller), device...)).String(),
		HashScheme:         scheme,
		KeyExchangeScheme:  evepb.KeyExchangeScheme_KEA_ECDH,
		EncryptionScheme:   evepb.EncryptionScheme_SA_AES_256_CFB,
		DeviceCertHash:     bytes.Clone(device),
		ControllerCertHash: bytes.Clone(controller),
	}, nil
}

// Context returns the context of all that the sealer encrypts.
func (s *Sealer) Context() *evepb.CipherContext {
	return proto.CloneOf(s.context)
}

// Block encrypts clear text under a new initial value.
func (s *Sealer) Block(clear []byte) (*evepb.CipherBlock, error) {
	iv := make([]byte, aes.BlockSize)
	rand.Read(iv) // never fails: without random bytes the program ends
	return s.block(clear, iv)
}

func (s *Sealer) block(clear, iv []byte) (*evepb.CipherBlock, error) {
	data, err := cfb(s.key, iv, clear, false)
	if err != nil {
		return nil, fmt.Errorf("cannot encrypt: %w", err)
	}
	sum := sha256.Sum256(clear)
	return &evepb.CipherBlock{
		CipherContextId: s.context.GetContextId(),
		InitialValue:    iv,
		CipherData:      data,
		ClearTextSha256: sum[:],
	}, nil
}
