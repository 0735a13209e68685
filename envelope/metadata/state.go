package metadata

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// A State is what a server shows. It does not change once it is made.
type State struct {
	patches []*patch
}

// A Volume is a file with the bytes of a volume that has arrived.
type Volume struct {
	Path   string
	SHA256 string // in hexadecimal
	// Info is the file as it was hashed. What has changed since is not served.
	Info os.FileInfo
}

// Contents is what a state is made from.
type Contents struct {
	Config *evepb.EdgeDevConfig
	// Opener decrypts; without one, encrypted blobs do not appear.
	Opener *envelope.Opener
	// Volumes are those that have arrived, by UUID in lower case.
	Volumes map[string]*Volume
	// Modified is the date of inline blobs.
	Modified time.Time
}

// NewState makes a state. The errors are about single blobs, which are left
// out: a device would do the same.
func NewState(c Contents) (*State, []error) {
	s := new(State)
	var errs []error
	for _, e := range c.Config.GetPatchEnvelopes() {
		p := &patch{
			id: e.GetUuid(), version: e.GetVersion(), apps: e.GetAppInstIdsAllowed(),
			active: e.GetAction() == evepb.EVE_PATCH_ENVELOPE_ACTION_ACTIVATE,
		}
		b := &builder{Contents: &c, patch: p}
		for n, a := range e.GetArtifacts() {
			if err := b.artifact(a); err != nil {
				errs = append(errs, fmt.Errorf("cannot show blob %d of envelope %q: %w", n+1, e.GetDisplayName(), err))
			}
		}
		p.blobs = slices.Concat(b.plain, b.volumes, b.decrypted)
		s.patches = append(s.patches, p)
	}
	return s, errs
}

// visible gives the active envelopes that name an application.
func (s *State) visible(app string) []*patch {
	var out []*patch
	for _, p := range s.patches {
		if p.active && slices.Contains(p.apps, app) {
			out = append(out, p)
		}
	}
	return out
}

// A patch is an envelope as applications see it.
type patch struct {
	id, version string
	apps        []string
	active      bool
	blobs       []*blob
	pending     []volumeRef
}

func (p *patch) blob(name string) *blob {
	n := slices.IndexFunc(p.blobs, func(b *blob) bool { return b.FileName == name })
	if n < 0 {
		return nil
	}
	return p.blobs[n]
}

func find(patches []*patch, id string) *patch {
	n := slices.IndexFunc(patches, func(p *patch) bool { return p.id == id })
	if n < 0 {
		return nil
	}
	return patches[n]
}

// A blob is a file that applications can download.
type blob struct {
	blobInfo
	modified time.Time
	content  func() (content, error)
	secret   bool
}

// blobInfo is a blob in description.json, the keys in the order of a device.
type blobInfo struct {
	ArtifactMetadata string   `json:"artifactMetaData"`
	EncArtifactMeta  struct{} `json:"encArtifactMeta"`
	FileMetadata     string   `json:"fileMetaData"`
	FileName         string   `json:"fileName"`
	FileSha          string   `json:"fileSha"`
	Size             int64    `json:"size"`
	URL              string   `json:"url"`
}

// volumeRef is a volume in description.json that has not arrived.
type volumeRef struct {
	ArtifactMetadata string   `json:"artifactMetaData"`
	EncArtifactMeta  struct{} `json:"encArtifactMeta"`
	FileMetadata     string   `json:"fileMetaData"`
	FileName         string   `json:"fileName"`
	ImageID          string   `json:"imageId"`
	ImageName        string   `json:"imageName"`
}

// A builder sorts the artifacts of an envelope in the order of a device.
type builder struct {
	*Contents
	patch                     *patch
	plain, volumes, decrypted []*blob
}

func (b *builder) artifact(a *evepb.EveBinaryArtifact) error {
	switch m := a.GetBinaryBlob().(type) {
	case *evepb.EveBinaryArtifact_Inline:
		text := m.Inline.GetBase64Data()
		blob := b.inline(m.Inline, func() (content, error) { return textContent(text), nil })
		blob.ArtifactMetadata = a.GetArtifactMetaData()
		b.plain = append(b.plain, blob)
	case *evepb.EveBinaryArtifact_VolumeRef:
		b.volume(m.VolumeRef, a.GetArtifactMetaData())
	case *evepb.EveBinaryArtifact_EncryptedInline:
		return b.encryptedInline(m.EncryptedInline)
	case *evepb.EveBinaryArtifact_EncryptedVolumeref:
		if b.Opener == nil {
			return errNoKey
		}
		v, err := b.Opener.Volume(m.EncryptedVolumeref)
		if err != nil {
			return err
		}
		b.volume(v, "")
	default:
		return fmt.Errorf("it is neither an inline blob nor a volume")
	}
	return nil
}

func (b *builder) inline(m *evepb.InlineOpaqueBase64Data, open func() (content, error)) *blob {
	sum := sha256.Sum256([]byte(m.GetBase64Data()))
	return &blob{
		blobInfo: blobInfo{
			FileMetadata: m.GetBase64MetaData(), FileName: m.GetFileNameToUse(),
			FileSha: hex.EncodeToString(sum[:]), Size: int64(len(m.GetBase64Data())),
		},
		modified: b.Modified,
		content:  open,
	}
}

// encryptedInline learns name and size of a blob, and forgets its content.
func (b *builder) encryptedInline(e *evepb.EncryptedInlineOpaqueBase64Data) error {
	if b.Opener == nil {
		return errNoKey
	}
	m, err := b.Opener.Inline(e)
	if err != nil {
		return err
	}
	opener := b.Opener
	blob := b.inline(m, func() (content, error) {
		m, err := opener.Inline(e)
		return textContent(m.GetBase64Data()), err
	})
	blob.secret = true
	b.decrypted = append(b.decrypted, blob)
	return nil
}

func (b *builder) volume(m *evepb.ExternalOpaqueBinaryBlob, artifactMetadata string) {
	v := b.Volumes[strings.ToLower(m.GetImageId())]
	if v == nil {
		b.patch.pending = append(b.patch.pending, volumeRef{
			ArtifactMetadata: artifactMetadata, FileMetadata: m.GetBlobMetaData(), FileName: m.GetFileNameToUse(),
			ImageID: m.GetImageId(), ImageName: m.GetImageName(),
		})
		return
	}
	b.volumes = append(b.volumes, &blob{
		blobInfo: blobInfo{
			ArtifactMetadata: artifactMetadata, FileMetadata: m.GetBlobMetaData(), FileName: m.GetFileNameToUse(),
			FileSha: v.SHA256, Size: v.Info.Size(),
		},
		modified: v.Info.ModTime(),
		content:  func() (content, error) { return openVolume(v) },
	})
}
