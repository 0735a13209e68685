package executor

import (
	"cmp"
	"context"
	"crypto"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/executor/engine"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// Options are the settings of one Apply.
type Options struct {
	// Dir is the project folder, absolute; the plan's paths are relative to it.
	Dir string
	// StoreDir keeps imported root file systems between runs: an OCI layout.
	StoreDir string
	// DeltaDir keeps deltas between runs, and holds what is unpacked for them. It
	// is made where it is needed.
	DeltaDir string
	// Memory is how many bytes making a delta may take, roughly;
	// delta.DefaultMemory when zero. Deltas depend on it.
	Memory int64
	// Opener opens the patches of the parents.
	Opener patch.Opener
	// Engine says where to build. It is not touched when nothing is to be built.
	Engine engine.Options
	// Now is the creation date of the patches, unless the plan has one.
	Now time.Time
	// Epoch is SOURCE_DATE_EPOCH; nil when unset. It replaces Now, and bounds the
	// times in the configs of built images.
	Epoch *time.Time
	// Parallelism bounds how many images are made, and how many patches are
	// written, at once; 4 when zero.
	Parallelism int
	// KeepGoing makes every image that can be made after a failure. Otherwise
	// no further one is begun. Nothing is written either way.
	KeepGoing bool
	// Outputs, when set, are the output folders as they were when planning began;
	// as Apply finds them when nil. A patch of one of the plan's sites that
	// another apply has written since is an error.
	Outputs Outputs
	// LockTimeout is how long to wait for other applies that publish into the
	// same folder; at least half a minute.
	LockTimeout time.Duration
	// Progress is told what happens; nil for silence.
	Progress *Progress
	// Observe, when set, gets the events of the run, one call at a time. It must
	// not block for long.
	Observe func(Event)
	// Producer is recorded in the patches: the tool and its version.
	Producer string
	// Keys are the private keys that sign patches, by their files as the plan
	// names them. Build needs none.
	Keys map[string]crypto.Signer
	// Render gives the entries manifest/… and documents/… of a site's patch. It
	// is called after the images are made, with their ids by name; nil where
	// there are none.
	Render func(site string, images map[string]digest.Digest, p planner.PatchInfo) (map[string][]byte, error)
	// Define gives what an envelope at an address is to hold, without the content
	// of blobs that have a source. It is needed where the plan seals anything.
	Define func(address string) (*envelope.Definition, error)
	// DigestKey is the key that the plan's digests of blobs were made with.
	DigestKey []byte
	// PatchesOnly leaves the outputs of envelopes and volumes in the project as they
	// are, for patches that are made for comparison alone.
	PatchesOnly bool
	// Recheck, when set, is called after the images are made and before patches
	// are written. It fails when the inputs are no longer those of the plan.
	Recheck func(context.Context) error
}

func (o *Options) created() time.Time {
	if o.Epoch != nil {
		return *o.Epoch
	}
	return o.Now
}

func (o *Options) memory() int64 { return cmp.Or(o.Memory, delta.DefaultMemory) }

func (o *Options) parallelism() int {
	if o.Parallelism <= 0 {
		return defaultParallelism
	}
	return o.Parallelism
}

// A Result says what Apply did.
type Result struct {
	Images    []ImageResult    // in the plan's order; those that were made
	Sites     []SiteResult     // in the plan's order
	Envelopes []EnvelopeResult // in the plan's order; those that were sealed
	Volumes   []VolumeResult   // in the plan's order; those that were written
	// Removed are outputs that belonged to nothing: folders of devices, and files
	// of volumes.
	Removed []string
	// Warnings are sentences for the user: what went otherwise than hoped.
	Warnings []string
}

// An ImageResult describes an image that was made.
type ImageResult struct {
	Address string
	ID      digest.Digest
	Layers  int
	// Steps is the number of steps that ran, Cached that of those which did not
	// have to. Both are zero for images that are not built.
	Steps, Cached int
}

// A SiteResult describes what became of a site's patch.
type SiteResult struct {
	Site string
	// File is the written patch; empty where the site lacks nothing.
	File string
	ID   string
	// Description is the digest of the description's bytes, as the next patch
	// names its parent.
	Description digest.Digest
	Images      []patch.Image // all images of the site, sorted by name
	Size        int64         // bytes of the file
	// Volumes are those that the file was split into, File being the first, and
	// SHA256 is the digest of the whole file, bare hex. Both are empty for one file.
	Volumes []string
	SHA256  string
	// NewLayers are those in the file, ReusedLayers those that the parent has.
	NewLayers, ReusedLayers []LayerResult
}

// A LayerResult is one layer of a site's images.
type LayerResult struct {
	Image     string // the first image, by name, that has it
	DiffID    digest.Digest
	Size      int64  // bytes of the blob
	Delta     int64  // bytes of the delta that travels instead; 0 for none
	CreatedBy string // the build step, as the image's history has it
	// Place is the step's place in its Dockerfile, and Step its line there; both
	// are empty where they are not known.
	Place, Step string
}
