package planner

import (
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// FormatVersion is the version of the plan's JSON form.
const FormatVersion = 1

// A Plan is the whole contract between plan and apply: what apply does is
// described by it alone.
type Plan struct {
	FormatVersion int    `json:"formatVersion"`
	ToolVersion   string `json:"toolVersion"`
	// Targets and Excludes are the Selection that the plan is limited to; without
	// any it is about all sites.
	Targets  []string `json:"targets,omitempty"`
	Excludes []string `json:"excludes,omitempty"`
	// ParentArguments are the parents of the command line, which took the place of
	// the configured ones.
	ParentArguments []string `json:"parentArguments,omitempty"`
	// Created is the creation date of the patches, which their size depends on.
	// It is set by a build; apply then takes it instead of the time at which it
	// runs.
	Created patch.Time `json:"created,omitzero"`
	// SourceDateEpoch says that Created is SOURCE_DATE_EPOCH, which bounds the
	// times in images, too.
	SourceDateEpoch bool            `json:"sourceDateEpoch,omitempty"`
	Project         Project         `json:"project"`
	Engine          Engine          `json:"engine"`
	Images          []*ImagePlan    `json:"images"`              // dependencies first
	Sites           []*SitePlan     `json:"sites"`               // sorted by name
	Envelopes       []*EnvelopePlan `json:"envelopes,omitempty"` // sorted by name
	Volumes         []*VolumePlan   `json:"volumes,omitempty"`   // that hold images
	Strays          []Stray         `json:"strays,omitempty"`    // outputs that belong to nothing, sorted by path
	// LockChanges say what making the plan changed in the lock file. They are
	// no part of what apply does: see Stale.
	LockChanges []LockChange `json:"lockChanges,omitempty"`
}

// Actions of images.
const (
	ActionReuse = "reuse" // the parents have it; nothing is done
	ActionMake  = "make"  // built, imported or fetched, as its kind says
	// ActionBase is for an image that no site lacks but that a made image is
	// built on: it is made to serve as a context, and goes to no site.
	ActionBase = "base"
)

// An ImagePlan says what apply does for an image.
type ImagePlan struct {
	Image
	Action string `json:"action"`
	// Reasons say why it is made: one for each input that differs from the
	// parents', sorted, or one of the reasons named below.
	Reasons []Reason `json:"reasons,omitempty"`
	// Diverging lists what the sites' parents have where they differ: the image
	// is made once, and every site gets the same layers.
	Diverging []SiteImageID `json:"diverging,omitempty"`
}

// Inputs of reasons that are no inputs of a fingerprint.
const (
	InputNew         = "new"         // a site's parent has no such image
	InputNeededBy    = "needed-by"   // New is the address of the image that is built on it
	InputFingerprint = "fingerprint" // the parent's fingerprint is missing or made by other rules
	InputVolume      = "volume"      // New is the UUID of a volume that is to hold the image
	InputStep        = "step"        // New is a build step that the parent's image has not
)

// A Reason is one changed input of an image. Old is empty for a new input, New
// for one that is gone.
type Reason struct {
	Input string `json:"input"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
}

// Changes of sites, images and files.
const (
	ChangeNone   = "none"
	ChangeCreate = "create"
	ChangeUpdate = "update"
	ChangeRemove = "remove"
)

// A SitePlan says what the next patch of a site holds.
type SitePlan struct {
	Site
	// Change is create for an initial patch, update for an incremental one, and
	// none where the parent is all that the site should have.
	Change string `json:"change"`
	// Parents are the patches that the next one applies to, the one that it is
	// compared with first. ParentFiles are their files, in the same order. Diff
	// knows only the ids; Bind fills in the rest.
	Parents     []patch.ParentRef `json:"parents,omitempty"`
	ParentFiles []string          `json:"parentFiles,omitempty"`
	// WithoutLayers are the ids of parents of which the description alone is at
	// hand: builds find neither their layers nor their cache records.
	WithoutLayers []string `json:"withoutLayers,omitempty"`
	// ParentChanges compare the site with each parent where there are several;
	// everything below compares it with the first.
	ParentChanges []ParentChange `json:"parentChanges,omitempty"`
	Images        []ImageChange  `json:"imageChanges"` // sorted by name, unchanged ones included
	Conf          []FileChange   `json:"confChanges,omitempty"`
	Manifest      []FileChange   `json:"manifestChanges,omitempty"` // of the manifest and the documents
	// EnvelopeFiles names the folder of each device whose output changes.
	EnvelopeFiles []FileChange      `json:"envelopeChanges,omitempty"`
	Attributes    []AttributeChange `json:"attributeChanges,omitempty"` // name, version, …
	Size          Size              `json:"size"`
	// Policy says what became of the rules of the site's policy.
	Policy []PolicyOutcome `json:"policy,omitempty"`
}

// An ImageChange compares an image with the parent's of the same name.
type ImageChange struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	Change  string `json:"change"`
	// From is the name under which the parent has an image with the same
	// inputs. It is set for a new name only; the image is then taken from the
	// parent instead of being made.
	From string `json:"from,omitempty"`
	// OldID is the id of the parent's image: of the same name, or From.
	OldID digest.Digest `json:"oldId,omitempty"`
	// OldLayers and OldSize describe the parent's image: the whole of it, as
	// blobs.
	OldLayers int      `json:"oldLayers,omitempty"`
	OldSize   int64    `json:"oldSize,omitempty"`
	Reasons   []Reason `json:"reasons,omitempty"`
	// NewID and Layers are what a build gave; they are empty before one. A build
	// that gave the parent's image leaves a change of none with NewID set.
	NewID  digest.Digest `json:"newId,omitempty"`
	Layers []LayerChange `json:"layers,omitempty"`
	// NewSize is the bytes of the image's layers that travel; those that it
	// shares with other images of the patch count for each. Before a build it is
	// an estimate, and 0 where there is nothing to tell it from.
	NewSize int64 `json:"newSize,omitempty"`
}

// Made tells whether the patch takes the image as apply makes it, and not as the
// parent has it.
func (c *ImageChange) Made() bool {
	return unknown(*c) || c.Change == ChangeNone && c.NewID != ""
}

// A LayerChange is one layer of an image that was built for the plan.
type LayerChange struct {
	Platform string        `json:"platform"`
	DiffID   digest.Digest `json:"diffId"`
	Size     int64         `json:"size"` // bytes of the blob
	// Delta is the bytes of the delta that travels instead; 0 where the blob does.
	Delta int64 `json:"delta,omitempty"`
	// Change is create for a layer that travels, and none for one that every
	// parent has. A layer that several images share travels once.
	Change    string `json:"change"`
	CreatedBy string `json:"createdBy,omitempty"` // the build step
	// Cause is what made a layer that travels: a line of a Dockerfile such as
	// images/app/Dockerfile:17, or an input of the image such as rootfs. Step is
	// that line. Both are empty where they are not known.
	Cause string `json:"cause,omitempty"`
	Step  string `json:"step,omitempty"`
	// Reasons are the changed inputs of the step. Where there are none, Follows
	// is the Cause of the first layer below it that is new; where that is empty,
	// too, the step gave something else although no input of it changed.
	Reasons []Reason `json:"reasons,omitempty"`
	Follows string   `json:"follows,omitempty"`
}

// Carried is the bytes that the layer takes in a patch that brings it.
func (l *LayerChange) Carried() int64 {
	if l.Delta > 0 {
		return l.Delta
	}
	return l.Size
}

// A FileChange compares a file of conf/, or an entry of manifest/ or documents/,
// with the parent's.
type FileChange struct {
	Path   string `json:"path"` // relative to the project, or the entry's name
	Change string `json:"change"`
	Size   int64  `json:"size"` // bytes, of the new file; of the old one where it is removed
}

// An AttributeChange compares an attribute of the patch with the parent's.
type AttributeChange struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// A Size is what is known of the patch's size: before the build an estimate, after
// it exact.
type Size struct {
	Conf          int64 `json:"conf"`          // bytes of conf, uncompressed
	UnknownImages int   `json:"unknownImages"` // images whose new layers are known after the build
	// Exact says that the plan was made with a build, so that what follows is
	// what apply will write, to the byte. Otherwise it is an estimate, see
	// ADR 0031.
	Exact bool `json:"exact,omitempty"`
	// Unestimated counts those of UnknownImages for which there is not even an
	// estimate.
	Unestimated int   `json:"unestimated,omitempty"`
	NewLayers   int64 `json:"newLayers,omitempty"` // bytes of the layers that travel, each once
	Patch       int64 `json:"patch,omitempty"`     // bytes of the patch file; 0 where it is not known
	Volumes     int   `json:"volumes,omitempty"`   // media volumes; 0 where the file is not split
}
