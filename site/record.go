package site

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// Names below patches/ID that are the store's own. Patches with entries of
// these names are refused.
const (
	recordFile = "import.json"
	blobsFile  = "blobs.txt"
)

// maxRecord bounds import.json, in bytes: a description may be as long.
const maxRecord = patch.MaxDescription

// A Record is import.json: what came in, and what was verified of it before it
// was listed.
type Record struct {
	FormatVersion     int               `json:"formatVersion"`
	ID                string            `json:"id"`
	DescriptionDigest digest.Digest     `json:"descriptionDigest"`
	Name              string            `json:"name"`
	Version           string            `json:"version"`
	Revision          string            `json:"revision"`
	Comment           string            `json:"comment,omitempty"`
	Created           time.Time         `json:"created"`
	Parents           []patch.ParentRef `json:"parents,omitempty"`
	Release           *patch.Release    `json:"release,omitempty"`

	Imported time.Time `json:"imported"`
	By       string    `json:"by,omitempty"`
	Source   string    `json:"source,omitempty"` // base name of the file
	Size     int64     `json:"size"`             // bytes of the patch file, decrypted
	Required int64     `json:"required"`         // bytes of all blobs that the patch needs
	Added    int64     `json:"added"`            // of those, bytes that the store did not have
	Images   int       `json:"images"`

	Verified Verification `json:"verified"`
}

// A Verification says what was checked at import.
type Verification struct {
	Entries int   `json:"entries"` // whose size and digest were checked
	Bytes   int64 `json:"bytes"`   // of those
	Layers  int   `json:"layers"`  // unpacked or made, and compared with their diff ids
	// Deltas counts those of the layers that were made of deltas.
	Deltas int `json:"deltas,omitempty"`
	// Known counts the blobs that the store had, checked when they came.
	Known int `json:"known"`
	// Policy says that Signatures were checked against a trust policy.
	Policy     bool          `json:"policy"`
	Signatures *sign.Verdict `json:"signatures"`
	// Signed is when the patch was imported again with signatures that it had not
	// had; zero where that never happened.
	Signed time.Time `json:"signed,omitzero"`
	// Encrypted lists the types of those whom the file was encrypted for.
	Encrypted []string `json:"encrypted,omitempty"`
}

// newRecord takes from a description what a record says of it.
func newRecord(h *patch.Header) *Record {
	d := h.Description
	return &Record{
		FormatVersion: formatVersion, ID: d.ID, DescriptionDigest: h.Digest,
		Name: d.Name, Version: d.Flotobuild.Version, Revision: d.Revision, Comment: d.Comment,
		Created: d.CreationDate.UTC(), Parents: d.Flotobuild.Parents, Release: d.Flotobuild.Release,
		Images: len(d.Flotobuild.Images),
	}
}

// ref names the patch as a parent.
func (r *Record) ref() patch.ParentRef {
	if r.Release != nil {
		return patch.ParentRef{ID: r.Release.ID, DescriptionDigest: r.Release.DescriptionDigest}
	}
	return patch.ParentRef{ID: r.ID, DescriptionDigest: r.DescriptionDigest}
}

// is says whether a parent reference means this patch, or the release that it
// stands for.
func (r *Record) is(p patch.ParentRef) bool {
	return p.DescriptionDigest == r.DescriptionDigest || p.DescriptionDigest == r.ref().DescriptionDigest
}

// patchPath gives the folder of a patch; an id is checked before it becomes a
// path.
func (s *Site) patchPath(id string, elem ...string) (string, error) {
	if _, err := patch.FileName(id); err != nil {
		return "", err
	}
	return s.path(append([]string{patchesDir, id}, elem...)...), nil
}

// A MissingPatchError says that the site has no patch of an id.
type MissingPatchError struct{ ID string }

// Error names the id.
func (e *MissingPatchError) Error() string { return fmt.Sprintf("the site has no patch %q", e.ID) }

// readRecord reads the record of a patch. The error for one that is not there is a
// *MissingPatchError.
func (s *Site) readRecord(id string) (*Record, error) {
	name, err := s.patchPath(id, recordFile)
	if err != nil {
		return nil, err
	}
	b, err := readFile(name, maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &MissingPatchError{id}
	}
	if err != nil {
		return nil, err
	}
	r := new(Record)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%q is damaged, remove its folder and import the patch again: %w", name, err)
	}
	switch {
	case r.FormatVersion != formatVersion:
		return nil, fmt.Errorf("%q has format version %d and this flotobuild knows %d: take a newer flotobuild", name, r.FormatVersion, formatVersion)
	case r.ID != id:
		return nil, fmt.Errorf("%q is of patch %q", name, r.ID)
	}
	return r, nil
}

// records reads those of all patches.
func (s *Site) records() ([]*Record, error) {
	entries, err := os.ReadDir(s.path(patchesDir))
	if err != nil {
		return nil, err
	}
	var out []*Record
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		r, err := s.readRecord(e.Name())
		if missing := (*MissingPatchError)(nil); errors.As(err, &missing) {
			continue // what a crash left, or removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}
