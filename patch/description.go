package patch

import (
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A Description is patch-description.json: what a patch is, what it needs and
// what it holds. The first group of fields is floto's, the rest stands under
// "flotobuild" where old readers ignore it.
type Description struct {
	CreationDate       Time                     `json:"creationDate"`
	ID                 string                   `json:"id"`
	Revision           string                   `json:"revision"`
	Name               string                   `json:"name"`
	Comment            string                   `json:"comment"`
	SiteName           string                   `json:"siteName"`
	RootDefinitionFile string                   `json:"rootDefinitionFile"`
	ParentID           string                   `json:"parentId,omitempty"`
	ParentRevision     string                   `json:"parentRevision,omitempty"`
	ParentName         string                   `json:"parentName,omitempty"`
	RequiredImageIDs   []digest.Digest          `json:"requiredImageIds"`
	ContainedImageIDs  []digest.Digest          `json:"containedImageIds"`
	ImageMap           map[string]digest.Digest `json:"imageMap"`
	Author             string                   `json:"author"`
	Producer           string                   `json:"producer"`
	Flotobuild         Additions                `json:"flotobuild"`

	unknown *unknown // what Decode found beyond these fields
}

// The versions of the additions. A patch has the lowest that can say what it
// holds, so that those who know no deltas read all patches without any, and
// refuse the others by their version.
const (
	plainVersion = 1
	// FormatVersion is the newest that this package reads and writes. Patches
	// with deltas have it.
	FormatVersion = 2
)

// Additions are what flotobuild records beyond floto's fields.
type Additions struct {
	FormatVersion int     `json:"formatVersion"` // set by SetContents
	Version       string  `json:"version"`       // semantic version of the patch
	Images        []Image `json:"images"`        // every required image, sorted by name
	// Bases are images that the required ones are built on and that are not
	// required themselves, sorted by address. Sites do not need them: they are
	// what the next build needs to know of this one, see Records.
	Bases    []Image     `json:"bases,omitempty"`
	Contents []Content   `json:"contents"` // every other entry of the ZIP, in its order
	Parents  []ParentRef `json:"parents,omitempty"`
	// Release is set where Merge or Rebase made the patch: the patch that it
	// stands for. A site is at the same release after either of them.
	Release       *Release         `json:"release,omitempty"`
	RemovedImages []RemovedImage   `json:"removedImages,omitempty"`
	Transport     []LayerTransport `json:"transport,omitempty"` // every layer that the patch carries
}

// An Image is one image of the patch.
type Image struct {
	Name    string        `json:"name"`
	Address string        `json:"address"` // in the configuration
	ID      digest.Digest `json:"id"`      // config digest, or the index digest of a multi-platform image
	// Descriptor is the entry in images/index.json: a manifest or an index.
	Descriptor  ocispec.Descriptor `json:"descriptor"`
	Manifests   []Manifest         `json:"manifests"` // one for each platform
	Fingerprint *Fingerprint       `json:"fingerprint,omitempty"`
	// Cache is the blob of BuildKit cache records, which travels in every
	// patch that requires the image.
	Cache []CacheRef `json:"cache,omitempty"`
}

// A Manifest is one platform of an image.
type Manifest struct {
	Platform   string             `json:"platform"` // linux/amd64
	Descriptor ocispec.Descriptor `json:"descriptor"`
	Config     ocispec.Descriptor `json:"config"`
	Layers     []Layer            `json:"layers"` // base first
}

// A Layer is identified by its diff id; the blob digest depends on compression.
type Layer struct {
	DiffID    digest.Digest `json:"diffId"`
	Digest    digest.Digest `json:"digest"`
	MediaType string        `json:"mediaType"`
	Size      int64         `json:"size"`                // bytes of the blob
	CreatedBy string        `json:"createdBy,omitempty"` // the build step
}

// A CacheRef names the cache records of one platform.
type CacheRef struct {
	Platform string        `json:"platform"`
	Digest   digest.Digest `json:"digest"`
	Size     int64         `json:"size"`
}

// A Fingerprint stands for everything that goes into an image. Inputs explain
// a difference: names like "dockerfile", "context:app", "arg:RELEASE",
// "image:base" with a digest or a value.
type Fingerprint struct {
	Digest digest.Digest     `json:"digest"`
	Inputs map[string]string `json:"inputs"`
}

// A Content lists one entry of the ZIP. Path is relative to the ZIP.
type Content struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`   // bytes, uncompressed
	SHA256 string `json:"sha256"` // bare lower-case hex, as sha256sum prints it
	// Mode is absent from the JSON of plain files.
	Mode Mode `json:"mode,omitzero"`
}

// A ParentRef is a patch that this one can be applied on top of.
type ParentRef struct {
	ID                string        `json:"id"`
	DescriptionDigest digest.Digest `json:"descriptionDigest"` // of the exact bytes of its patch-description.json
}

// A Release names the patch that first brought what a merged or rebased one
// brings again.
type Release struct {
	ID                string        `json:"id"`
	DescriptionDigest digest.Digest `json:"descriptionDigest"`
	// ParentID is the first parent of that patch. Manifest and documents were
	// rendered with it, and with ID.
	ParentID string `json:"parentId,omitempty"`
}

// Ref names the patch of description d, whose exact bytes have the digest own,
// as a parent: by itself, or by the release that it stands for.
func (d *Description) Ref(own digest.Digest) ParentRef {
	if r := d.Flotobuild.Release; r != nil {
		return ParentRef{ID: r.ID, DescriptionDigest: r.DescriptionDigest}
	}
	return ParentRef{ID: d.ID, DescriptionDigest: own}
}

// Rendered gives the ids of the patch and of its parent that manifest and
// documents were rendered with.
func (d *Description) Rendered() (id, parent string) {
	if r := d.Flotobuild.Release; r != nil {
		return r.ID, r.ParentID
	}
	return d.ID, d.ParentID
}

// A RemovedImage was in the parent and is no longer required.
type RemovedImage struct {
	Name string        `json:"name"`
	ID   digest.Digest `json:"id"`
}

// The kinds of transport.
const (
	TransportFull  = "full"  // the blob
	TransportDelta = "delta" // what changed against layers that every parent has
)

// A LayerTransport says how a layer travels.
type LayerTransport struct {
	DiffID digest.Digest   `json:"diffId"`
	Kind   string          `json:"kind"`            // TransportFull or TransportDelta; readers ignore others
	Bases  []digest.Digest `json:"bases,omitempty"` // diff ids of what a delta needs, in its order
	Delta  *LayerDelta     `json:"delta,omitempty"` // with TransportDelta only
}

// A LayerDelta says what is made of a delta, and how.
type LayerDelta struct {
	Digest   digest.Digest `json:"digest"`   // of the entry, which is named by it
	Blob     digest.Digest `json:"blob"`     // the layer's blob, which the images name
	Size     int64         `json:"size"`     // bytes of the layer's tar
	BaseSize int64         `json:"baseSize"` // bytes of the tars of all bases together
	// Recipe makes the blob of the tar, see package delta/recipe; absent where
	// the blob is the tar.
	Recipe []byte `json:"recipe,omitempty"`
}
