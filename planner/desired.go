package planner

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// A Desired is the configuration with every input pinned by digest: what the
// sites should have, without regard to what they have.
type Desired struct {
	Project   Project
	Engine    Engine
	Images    []*Image    // what sites and volumes need, bases included, dependencies first
	Sites     []*Site     // sorted by name
	Envelopes []*Envelope // sorted by name
	Volumes   []*Volume   // that hold images
	Strays    []Stray     // outputs that belong to nothing, sorted by path

	LockChanges []LockChange    // sorted by source
	Warnings    hcl.Diagnostics // what does not keep anybody from going on
}

// A Project says which state of the sources the patches are made from.
type Project struct {
	Revision  string `json:"revision"`  // git describe --tags --always --dirty; empty without git
	Timestamp string `json:"timestamp"` // committer date of HEAD, RFC 3339; empty without git
	Dirty     bool   `json:"dirty"`     // uncommitted changes in the project folder
	Author    string `json:"author"`    // author of HEAD; empty without git
}

// Engine is what apply needs to know to reach a build engine.
type Engine struct {
	Hosts       []string `json:"hosts,omitempty"`
	Compression string   `json:"compression"`
	CABundle    string   `json:"caBundle,omitempty"` // relative to the project
}

// Kinds of images.
const (
	KindBuild  = "build"  // a Dockerfile build
	KindRootfs = "rootfs" // a flat import of a root file system tar
	KindSource = "source" // carried as others made it
)

// An Image is one image with pinned inputs. All paths are relative to the
// project folder, slash-separated.
type Image struct {
	Address   string            `json:"address"`
	Name      string            `json:"name"`
	Kind      string            `json:"kind"`
	Build     *Build            `json:"build,omitempty"`
	Rootfs    *Rootfs           `json:"rootfs,omitempty"`
	Source    *Source           `json:"source,omitempty"`
	Platforms []string          `json:"platforms"` // never empty
	Labels    map[string]string `json:"labels,omitempty"`
	DependsOn []string          `json:"dependsOn,omitempty"` // addresses, sorted
	// Fingerprint covers all inputs, those of images that this one depends on
	// included. Equal fingerprints mean that a build is not needed.
	Fingerprint patch.Fingerprint `json:"fingerprint"`
}

// A Build is a Dockerfile build with pinned inputs.
type Build struct {
	Context    string             `json:"context"`
	Dockerfile string             `json:"dockerfile"` // relative to Context
	Target     string             `json:"target,omitempty"`
	Args       map[string]string  `json:"args,omitempty"`
	Contexts   map[string]Context `json:"contexts,omitempty"` // by ContextKey
	Secrets    map[string]Secret  `json:"secrets,omitempty"`
	// Pins maps the references of other people's images that the target needs
	// (FROM, COPY --from, RUN --mount from=) to their digests. Keys have the
	// form of ContextKey; PinSource says how to use them.
	Pins map[string]digest.Digest `json:"pins,omitempty"`
}

// A Context is an additional named context; exactly one field is set.
type Context struct {
	Image string `json:"image,omitempty"` // address
	Dir   string `json:"dir,omitempty"`
	Ref   string `json:"ref,omitempty"` // docker-image://NAME@DIGEST
}

// A Secret says where a value is found at build time; the value is no input.
type Secret struct {
	Env  string `json:"env,omitempty"`
	File string `json:"file,omitempty"`
}

// A Rootfs is a tar file, compressed or not.
type Rootfs struct {
	File   string        `json:"file"`
	Digest digest.Digest `json:"digest"` // of the file's bytes
	Size   int64         `json:"size"`   // bytes
}

// A Source is an image in a registry or an OCI layout.
type Source struct {
	Ref     string        `json:"ref"`               // as written in the configuration
	Version string        `json:"version,omitempty"` // the tag that a constraint chose
	Digest  digest.Digest `json:"digest"`            // of the manifest or index
	// Size is the bytes of its layers; 0 where no manifest is at hand to tell.
	Size int64 `json:"size,omitempty"`
}

// A Site is an insular place with what it should have.
type Site struct {
	Name               string      `json:"name"`
	Address            string      `json:"address,omitempty"` // as references write it
	RootDefinitionFile string      `json:"rootDefinitionFile"`
	Patch              Patch       `json:"patch"`
	Images             []SiteImage `json:"images"`              // sorted by name
	Conf               []File      `json:"conf"`                // sorted by path
	Envelopes          []string    `json:"envelopes,omitempty"` // addresses of those that travel, sorted by name
	// Manifest lists the entries manifest/… and documents/… as Compile gives
	// them: rendered for the parent, or with a placeholder for the patch's id
	// where there is none. Sorted by path, which is the entry's name.
	Manifest []File `json:"manifest,omitempty"`

	// manifests are those entries as rendered for the further parents, by their
	// ids.
	manifests map[string][]File
}

// A Patch carries the patch block.
type Patch struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Comment string `json:"comment,omitempty"`
	Output  string `json:"output"` // folder
	// MaxSize bounds the file in bytes; 0 is no bound.
	MaxSize int64 `json:"maxSize,omitempty"`
	// SignKeys are the files of the private keys that sign the patch. Their
	// signatures are no part of an exact size.
	SignKeys []string `json:"signKeys,omitempty"`
	// Provenance asks for a statement for each image of what it was built from.
	Provenance bool `json:"provenance,omitempty"`
	// SBOM is the form in which the packages of each image are listed: spdx, or
	// empty for no list.
	SBOM string `json:"sbom,omitempty"`
	// Delta is DeltaOff where layers travel whole; empty where they travel as
	// what changed, if that is smaller.
	Delta string `json:"delta,omitempty"`
	// VolumeSize splits the file into volumes of so many bytes at most; 0 for
	// one file. Parity is the number of parity volumes beside them.
	VolumeSize int64 `json:"volumeSize,omitempty"`
	Parity     int   `json:"parity,omitempty"`
	// Encrypt is nil for a file that is not encrypted.
	Encrypt *Encryption `json:"encrypt,omitempty"`
}

// An Encryption says whom a patch file is encrypted for: by public keys, as
// crypt.ParseRecipient reads them, or by the passphrase in an environment
// variable.
type Encryption struct {
	Recipients    []string `json:"recipients,omitempty"`
	PassphraseEnv string   `json:"passphraseEnv,omitempty"`
}

// A SiteImage names an image of the site.
type SiteImage struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// A File is a file of conf/. A symbolic link has its target as content and
// ModeSymlink.
type File struct {
	Path   string        `json:"path"` // relative to the project folder
	Mode   uint32        `json:"mode"` // 0644, 0755, or ModeSymlink
	Size   int64         `json:"size"` // bytes
	Digest digest.Digest `json:"digest"`
}

// ModeSymlink is the mode of symbolic links: S_IFLNK | 0777.
const ModeSymlink = 0o120777
