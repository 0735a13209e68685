package envelope

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// A Definition is what an envelope is to hold, in the clear.
type Definition struct {
	Name    string // for people
	UUID    string
	Version string // of the maker's choice; may be empty
	// Activate lets applications see the envelope. Without it a device stores
	// the envelope only.
	Activate bool
	Apps     []string // UUIDs of the application instances that may see it
	// Created is the creation date of the patch or the apply.
	Created time.Time
	Blobs   []Blob
}

// A Blob is a file for applications: content, or a volume that holds it.
type Blob struct {
	Name    string // what applications ask for
	Content []byte // an inline blob's bytes, before base64
	Volume  *Volume
	// Metadata is about the file and is encrypted with it. Applications get it
	// as it stands here, as fileMetaData.
	Metadata string
	// ArtifactMetadata is about the blob and not encrypted with it. Devices drop
	// it from encrypted blobs.
	ArtifactMetadata string
	Encrypt          bool
	// EncryptMetadata encrypts ArtifactMetadata on its own. EVE up to 17.0 loses
	// such blobs.
	EncryptMetadata bool
}

// A Volume is where the bytes of a large blob lie on the device.
type Volume struct {
	ID    string // UUID of the volume
	Image string // its name in the datastore
}

// Encrypts tells whether anything of the envelope is encrypted.
func (d *Definition) Encrypts() bool {
	for _, b := range d.Blobs {
		if b.Encrypt || b.encryptsMetadata() {
			return true
		}
	}
	return false
}

func (b *Blob) encryptsMetadata() bool { return b.EncryptMetadata && b.ArtifactMetadata != "" }

// Digest tells definitions apart without telling what they hold: HMAC-SHA-256
// under a secret key. What has the digest of last time need not be sealed
// again, as long as its certificates are the same. Created does not count.
func (d *Definition) Digest(key []byte) ([]byte, error) {
	c := *d
	c.Created = time.Time{}
	text, err := json.Marshal(&c)
	if err != nil {
		return nil, fmt.Errorf("cannot compute the digest of envelope %q: %w", d.Name, err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return mac.Sum(nil), nil
}

// Seal makes the envelope of a definition. s may be nil where nothing is
// encrypted. Limits are not checked here: [CheckDefinitions] does it for all
// envelopes of a device at once.
func (d *Definition) Seal(s *Sealer) (*evepb.EvePatchEnvelope, error) {
	if s != nil {
		return d.message(s.Block)
	}
	return d.message(func([]byte) (*evepb.CipherBlock, error) {
		return nil, errors.New("cannot encrypt: it takes the controller's key and the device's certificate")
	})
}

// Size gives the bytes that the envelope takes in the list of a device, for which
// [MaxList] is the bound. It takes no key: sealing changes no length, save that
// a Created without fractions of a second is shorter.
func (d *Definition) Size() (int, error) {
	e, err := d.message(draft)
	if err != nil {
		return 0, err
	}
	n, err := listSize(&evepb.EdgeDevConfig{PatchEnvelopes: []*evepb.EvePatchEnvelope{e}})
	return n - len("[]"), err
}

// A blockFunc encrypts clear text.
type blockFunc func(clear []byte) (*evepb.CipherBlock, error)

// draft stands in for a sealer where only lengths count.
func draft(clear []byte) (*evepb.CipherBlock, error) {
	const uuidLength = 36
	return &evepb.CipherBlock{
		CipherContextId: strings.Repeat("0", uuidLength),
		InitialValue:    make([]byte, 16),
		CipherData:      make([]byte, len(clear)),
		ClearTextSha256: make([]byte, sha256.Size),
	}, nil
}

func (d *Definition) message(block blockFunc) (*evepb.EvePatchEnvelope, error) {
	e := &evepb.EvePatchEnvelope{DisplayName: d.Name, Uuid: strings.ToLower(d.UUID), Version: optional(d.Version)}
	if d.Activate {
		e.Action = evepb.EVE_PATCH_ENVELOPE_ACTION_ACTIVATE
	}
	for _, app := range d.Apps {
		e.AppInstIdsAllowed = append(e.AppInstIdsAllowed, strings.ToLower(app))
	}
	if !d.Created.IsZero() {
		e.CreateTime = timestamppb.New(d.Created)
	}
	for n := range d.Blobs {
		a, err := d.Blobs[n].artifact(block)
		if err != nil {
			return nil, fmt.Errorf("cannot seal blob %q of envelope %q: %w", d.Blobs[n].Name, d.Name, err)
		}
		e.Artifacts = append(e.Artifacts, a)
	}
	return e, nil
}

func (b *Blob) artifact(block blockFunc) (*evepb.EveBinaryArtifact, error) {
	a := new(evepb.EveBinaryArtifact)
	var err error
	if b.Volume != nil {
		a.Format = evepb.EVE_OPAQUE_OBJECT_CATEGORY_BINARYBLOB
		err = b.external(a, block)
	} else {
		a.Format = evepb.EVE_OPAQUE_OBJECT_CATEGORY_BASE64
		err = b.inline(a, block)
	}
	if err != nil {
		return nil, err
	}
	if !b.encryptsMetadata() {
		a.ArtifactMetaData = optional(b.ArtifactMetadata)
		return a, nil
	}
	a.MetadataCipherData, err = sealed(&evepb.EncryptionBlock{
		User:          evepb.EncryptionBlockUser_ENCRYPTION_BLOCK_USER_BINARY_ARTIFACT_METADATA,
		EncryptedData: b.ArtifactMetadata,
	}, block)
	return a, err
}

func (b *Blob) inline(a *evepb.EveBinaryArtifact, block blockFunc) error {
	m := b.inlineMessage()
	if !b.Encrypt {
		a.BinaryBlob = &evepb.EveBinaryArtifact_Inline{Inline: m}
		return nil
	}
	data, err := sealed(m, block)
	a.BinaryBlob = &evepb.EveBinaryArtifact_EncryptedInline{
		EncryptedInline: &evepb.EncryptedInlineOpaqueBase64Data{CipherData: data},
	}
	return err
}

func (b *Blob) inlineMessage() *evepb.InlineOpaqueBase64Data {
	return &evepb.InlineOpaqueBase64Data{
		Base64Data:     base64.StdEncoding.EncodeToString(b.Content),
		FileNameToUse:  b.Name,
		Base64MetaData: optional(b.Metadata),
	}
}

func (b *Blob) external(a *evepb.EveBinaryArtifact, block blockFunc) error {
	m := b.externalMessage()
	if !b.Encrypt {
		a.BinaryBlob = &evepb.EveBinaryArtifact_VolumeRef{VolumeRef: m}
		return nil
	}
	data, err := sealed(m, block)
	a.BinaryBlob = &evepb.EveBinaryArtifact_EncryptedVolumeref{
		EncryptedVolumeref: &evepb.EncryptedExternalOpaqueBinaryBlob{CipherData: data},
	}
	return err
}

func (b *Blob) externalMessage() *evepb.ExternalOpaqueBinaryBlob {
	return &evepb.ExternalOpaqueBinaryBlob{
		ImageName:     b.Volume.Image,
		FileNameToUse: optional(b.Name),
		BlobMetaData:  optional(b.Metadata),
		ImageId:       strings.ToLower(b.Volume.ID),
	}
}

// sealed encrypts a message. Deterministic bytes keep lengths as the draft had
// them.
func sealed(m proto.Message, block blockFunc) (*evepb.CipherBlock, error) {
	clear, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	return block(clear)
}

// optional gives nil for an empty text, which means "not set" in EVE.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
