package planner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// PlanFileFormat is the first value of every plan file, and tells it from other
// JSON documents.
const PlanFileFormat = "flotobuild-plan"

// PlanFileVersion is the version of the plan file around the plan.
const PlanFileVersion = 1

// PlanExtension ends the names of plan files that never travel in conf/, nor
// make a work tree dirty, wherever they stand in a project.
const PlanExtension = ".floto-plan"

// PageExtension ends the names of pages that plans were written to for
// browsers. The same holds for these.
const PageExtension = PlanExtension + ".html"

// MaxPlanFileSize bounds what DecodeFile reads, in bytes.
const MaxPlanFileSize = 512 << 20

// A PlanFile is a saved plan: one JSON document with all that apply needs
// besides the project itself.
//
// # Compatibility
//
// A reader refuses other values of Format and FormatVersion. Digest covers
// everything else, so that a file which was edited or damaged is refused, too.
// It is no signature: who can write the file can compute it. Apply therefore
// trusts nothing in a plan file that it does not find in the project again.
type PlanFile struct {
	Format        string        `json:"format"`
	FormatVersion int           `json:"formatVersion"`
	Digest        digest.Digest `json:"digest"` // of the document with an empty digest
	ToolVersion   string        `json:"toolVersion"`
	// Variables are those of the project, sorted by name.
	Variables []PlanVariable `json:"variables"`
	Plan      *Plan          `json:"plan"`
}

// A PlanVariable is a variable as the plan was made with it. Of a sensitive one
// neither the value nor anything computed from it is recorded.
type PlanVariable struct {
	Name      string `json:"name"`
	Value     string `json:"value,omitempty"` // in the syntax of the language; empty where sensitive
	Origin    string `json:"origin"`          // as lang.Variable has it
	Sensitive bool   `json:"sensitive,omitempty"`
}

// NotPlanError says that a file is no plan file.
type NotPlanError struct{ Reason string }

// Error says what it is instead, as far as that can be told.
func (e *NotPlanError) Error() string { return "this is no saved plan: " + e.Reason }

// EncodeFile gives the bytes of a plan file. Equal plans and variables have
// equal bytes.
func EncodeFile(p *Plan, variables []PlanVariable) ([]byte, error) {
	f := &PlanFile{
		Format: PlanFileFormat, FormatVersion: PlanFileVersion,
		ToolVersion: p.ToolVersion, Variables: variables, Plan: p,
	}
	if f.Variables == nil {
		f.Variables = []PlanVariable{}
	}
	var err error
	if f.Digest, err = f.seal(); err != nil {
		return nil, err
	}
	return f.encode()
}

func (f *PlanFile) seal() (digest.Digest, error) {
	open := *f
	open.Digest = ""
	b, err := open.encode()
	return digest.FromBytes(b), err
}

func (f *PlanFile) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(f); err != nil {
		return nil, fmt.Errorf("cannot encode plan file: %w", err)
	}
	return b.Bytes(), nil
}

// DecodeFile reads a plan file. What is none at all is a *NotPlanError, one of
// another version an ErrVersion.
func DecodeFile(r io.Reader) (*PlanFile, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxPlanFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxPlanFileSize {
		return nil, &NotPlanError{fmt.Sprintf("it is larger than %d bytes", MaxPlanFileSize)}
	}
	return decodeFile(data)
}

func decodeFile(data []byte) (*PlanFile, error) {
	if err := sniff(data); err != nil {
		return nil, err
	}
	var head struct {
		Format        string `json:"format"`
		FormatVersion int    `json:"formatVersion"`
		ToolVersion   string `json:"toolVersion"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, damaged(err)
	}
	if head.FormatVersion != PlanFileVersion {
		return nil, fmt.Errorf("%w: version %d, made by flotobuild %q, and this flotobuild knows version %d; make the plan again with the flotobuild that applies it",
			ErrVersion, head.FormatVersion, head.ToolVersion, PlanFileVersion)
	}
	var body struct {
		PlanFile
		Plan json.RawMessage `json:"plan"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return nil, damaged(err)
	}
	f := body.PlanFile
	var err error
	if f.Plan, err = Decode(body.Plan); err != nil {
		return nil, err
	}
	if f.Variables == nil {
		f.Variables = []PlanVariable{}
	}
	sealed, err := f.seal()
	if err != nil {
		return nil, err
	}
	if sealed != f.Digest {
		return nil, errors.New("its content does not match its digest: it is damaged or was edited; make the plan again")
	}
	return &f, nil
}

func damaged(err error) error {
	return fmt.Errorf("it is damaged: %w; make the plan again, or fetch the file again", err)
}

// sniff tells other files from plan files by their first bytes.
func sniff(data []byte) error {
	switch {
	case len(data) == 0:
		return &NotPlanError{"the file is empty"}
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return &NotPlanError{"it is a ZIP file, such as a patch (*" + patch.Extension + ")"}
	case !LooksLikePlan(data):
		return &NotPlanError{`it does not begin with "format": "` + PlanFileFormat + `"`}
	}
	return nil
}

// LooksLikePlan says whether the first bytes of a file are those of a plan
// file, of whatever version.
func LooksLikePlan(head []byte) bool {
	rest := strings.TrimLeft(string(head[:min(len(head), 256)]), " \t\r\n")
	for _, want := range []string{"{", `"format"`, ":", `"` + PlanFileFormat + `"`} {
		var ok bool
		if rest, ok = strings.CutPrefix(rest, want); !ok {
			return false
		}
		rest = strings.TrimLeft(rest, " \t\r\n")
	}
	return true
}
