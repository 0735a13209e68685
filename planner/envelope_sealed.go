package planner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// A Sealed says what an output was sealed from. It stands beside the output,
// as state.json, and tells nothing of what the blobs hold.
type Sealed struct {
	FormatVersion int               `json:"formatVersion"`
	Key           string            `json:"digestKey"`
	Name          string            `json:"name"`
	UUID          string            `json:"uuid"`
	Version       string            `json:"version,omitempty"`
	Action        string            `json:"action"`
	Apps          []string          `json:"allowedApps,omitempty"`
	Blobs         map[string]string `json:"blobs"` // digests by name
	Device        digest.Digest     `json:"device,omitempty"`
	Controller    digest.Digest     `json:"controller,omitempty"`
	Created       patch.Time        `json:"created"`
	// Sensitive says that the output holds sensitive content in the clear.
	Sensitive bool `json:"sensitive,omitempty"`
	// Files are the outputs, sorted by name; Path is the name within the folder.
	Files []File `json:"files"`
}

// SealedFile is the name of the file that holds a Sealed.
const SealedFile = "state.json"

// SealedVersion is the FormatVersion of a Sealed. Of another one it is as good
// as none.
const SealedVersion = 1

// EncodeSealed gives the text of a record, which DecodeSealed reads.
func EncodeSealed(s *Sealed) ([]byte, error) {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("cannot encode the record of a sealed envelope: %w", err)
	}
	return append(b, '\n'), nil
}

// DecodeSealed reads a record. It takes those of this version only, and none
// whose files would stand outside of the record's folder.
func DecodeSealed(text []byte) (*Sealed, error) {
	s := new(Sealed)
	if err := decodeRecord(text, s); err != nil {
		return nil, fmt.Errorf("cannot read the record of a sealed envelope: %w", err)
	}
	if s.FormatVersion != SealedVersion {
		return nil, fmt.Errorf("cannot read the record of a sealed envelope: it has version %d, and this flotobuild reads %d", s.FormatVersion, SealedVersion)
	}
	for n, f := range s.Files {
		if !isFolder(f.Path) || f.Path == SealedFile || f.Size < 0 || f.Digest.Validate() != nil || n > 0 && s.Files[n-1].Path >= f.Path {
			return nil, fmt.Errorf("cannot read the record of a sealed envelope: unusable file %q", f.Path)
		}
	}
	return s, nil
}

// decodeRecord reads a single JSON value.
func decodeRecord(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON value")
	}
	return nil
}
