package envelope

import (
	"bytes"
	"crypto/aes"
	"crypto/ecdh"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// Reasons why a block cannot be opened. Errors of [Opener.Block] wrap one of
// them.
var (
	// ErrContext means that the block's context is missing or unusable.
	ErrContext = errors.New("no usable cipher context")
	// ErrBlock means that the block itself is malformed.
	ErrBlock = errors.New("malformed cipher block")
	// ErrClearText means that the clear text has not its SHA-256: the key is not
	// the right one, or the block has been changed.
	ErrClearText = errors.New("the clear text does not have its SHA-256: this is another key's block, or it has been changed")
)

// An Opener decrypts blocks with the key of either side. It is safe for
// concurrent use.
type Opener struct {
	key      *ecdh.PrivateKey
	contexts map[string]*evepb.CipherContext
	peers    []*Certificate

	mu     sync.Mutex
	agreed map[*Certificate][32]byte
}

// NewOpener takes the private key of device or controller, the contexts that
// the blocks name, and the certificates of the other side.
func NewOpener(key *ecdh.PrivateKey, contexts []*evepb.CipherContext, peers ...*Certificate) (*Opener, error) {
	if key == nil || len(peers) == 0 {
		return nil, errors.New("cannot decrypt: it takes a private key and the certificate of the other side")
	}
	o := &Opener{key: key, peers: peers, contexts: make(map[string]*evepb.CipherContext), agreed: make(map[*Certificate][32]byte)}
	for _, c := range contexts {
		o.contexts[c.GetContextId()] = c
	}
	return o, nil
}

// Block decrypts a block. Clear text that has not the SHA-256 it should have is
// never returned.
func (o *Opener) Block(b *evepb.CipherBlock) ([]byte, error) {
	c := o.contexts[b.GetCipherContextId()]
	if c == nil {
		return nil, fmt.Errorf("cannot decrypt: %w: the context %q is missing; give the file that has it", ErrContext, b.GetCipherContextId())
	}
	if err := checkBlock(b); err != nil {
		return nil, fmt.Errorf("cannot decrypt: %w: %w", ErrBlock, err)
	}
	key, err := o.keyFor(c)
	if err != nil {
		return nil, err
	}
	clear, err := cfb(key, b.GetInitialValue(), b.GetCipherData(), true)
	if err != nil {
		return nil, fmt.Errorf("cannot decrypt: %w", err)
	}
	if sum := sha256.Sum256(clear); !bytes.Equal(sum[:], b.GetClearTextSha256()) {
		return nil, fmt.Errorf("cannot decrypt: %w", ErrClearText)
	}
	return clear, nil
}

// checkBlock refuses what a device cannot decrypt.
func checkBlock(b *evepb.CipherBlock) error {
	switch {
	case len(b.GetInitialValue()) != aes.BlockSize:
		return fmt.Errorf("its initial value has %d bytes, not 16", len(b.GetInitialValue()))
	case len(b.GetCipherData()) < minCipher:
		return fmt.Errorf("it has %d bytes of cipher text, and devices need 16 to tell blobs apart", len(b.GetCipherData()))
	case len(b.GetClearTextSha256()) != sha256.Size:
		return fmt.Errorf("its clearTextSha256 has %d bytes, not 32", len(b.GetClearTextSha256()))
	}
	return nil
}

// keyFor gives the AES key of a context.
func (o *Opener) keyFor(c *evepb.CipherContext) ([32]byte, error) {
	if err := checkContext(c); err != nil {
		return [32]byte{}, fmt.Errorf("cannot decrypt: %w: %w", ErrContext, err)
	}
	peer, err := o.peer(c)
	if err != nil {
		return [32]byte{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if key, ok := o.agreed[peer]; ok {
		return key, nil
	}
	key, err := agree(o.key, peer.key)
	if err == nil {
		o.agreed[peer] = key
	}
	return key, err
}

// peer chooses the certificate that a context names. A single one serves for
// all, since controllers may hash their certificates in another way.
func (o *Opener) peer(c *evepb.CipherContext) (*Certificate, error) {
	for _, p := range o.peers {
		if bytes.HasPrefix(c.GetControllerCertHash(), p.ControllerHash()) || bytes.HasPrefix(c.GetDeviceCertHash(), p.DeviceHash()) {
			return p, nil
		}
	}
	if len(o.peers) == 1 {
		return o.peers[0], nil
	}
	return nil, fmt.Errorf("cannot decrypt: %w: none of the %d certificates given is the one that context %q names", ErrContext, len(o.peers), c.GetContextId())
}

// checkContext refuses schemes that no device knows.
func checkContext(c *evepb.CipherContext) error {
	want := map[evepb.HashAlgorithm]int{
		evepb.HashAlgorithm_HASH_ALGORITHM_SHA256_16BYTES: hashLength,
		evepb.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES: sha256.Size,
	}[c.GetHashScheme()]
	switch {
	case c.GetKeyExchangeScheme() != evepb.KeyExchangeScheme_KEA_ECDH:
		return fmt.Errorf("context %q has the key exchange %v, not KEA_ECDH", c.GetContextId(), c.GetKeyExchangeScheme())
	case c.GetEncryptionScheme() != evepb.EncryptionScheme_SA_AES_256_CFB:
		return fmt.Errorf("context %q has the encryption %v, not SA_AES_256_CFB", c.GetContextId(), c.GetEncryptionScheme())
	case want == 0:
		return fmt.Errorf("context %q has the hash scheme %v", c.GetContextId(), c.GetHashScheme())
	case len(c.GetDeviceCertHash()) != want || len(c.GetControllerCertHash()) != want:
		return fmt.Errorf("context %q has certificate hashes of %d and %d bytes, not %d", c.GetContextId(), len(c.GetControllerCertHash()), len(c.GetDeviceCertHash()), want)
	}
	return nil
}

// Inline opens an encrypted inline blob.
func (o *Opener) Inline(e *evepb.EncryptedInlineOpaqueBase64Data) (*evepb.InlineOpaqueBase64Data, error) {
	m := new(evepb.InlineOpaqueBase64Data)
	return m, o.message(e.GetCipherData(), m)
}

// Volume opens an encrypted reference to a volume.
func (o *Opener) Volume(e *evepb.EncryptedExternalOpaqueBinaryBlob) (*evepb.ExternalOpaqueBinaryBlob, error) {
	m := new(evepb.ExternalOpaqueBinaryBlob)
	return m, o.message(e.GetCipherData(), m)
}

// Metadata opens encrypted artifact metadata.
func (o *Opener) Metadata(b *evepb.CipherBlock) (string, error) {
	m := new(evepb.EncryptionBlock)
	if err := o.message(b, m); err != nil {
		return "", err
	}
	if m.GetUser() != evepb.EncryptionBlockUser_ENCRYPTION_BLOCK_USER_BINARY_ARTIFACT_METADATA {
		return "", fmt.Errorf("cannot read artifact metadata: the clear text is meant for %v", m.GetUser())
	}
	return m.GetEncryptedData(), nil
}

func (o *Opener) message(b *evepb.CipherBlock, m proto.Message) error {
	clear, err := o.Block(b)
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(clear, m); err != nil {
		proto.Reset(m)
		return fmt.Errorf("cannot read the clear text: it is no %s", m.ProtoReflect().Descriptor().Name())
	}
	return nil
}
