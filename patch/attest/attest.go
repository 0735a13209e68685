// Package attest writes statements about the images of a patch: what they were
// built from.
//
// # Format
//
// A statement is in-toto's, version 1, with the predicate of SLSA provenance,
// version 1; both are JSON. It stands in the patch as a plain entry, which the
// description lists, so that the patch's signatures cover it. Equal inputs give
// equal bytes: a statement holds no time and no name of a machine.
package attest

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
)

// Dir is the folder of the statements in a patch.
const Dir = "provenance/"

// Types of in-toto and SLSA.
const (
	StatementType  = "https://in-toto.io/Statement/v1"
	ProvenanceType = "https://slsa.dev/provenance/v1"
)

// BuildType says how parameters and dependencies are to be read: in the
// section "Provenance" of the patch format.
const BuildType = "https://github.com/flotobuild/flotobuild/blob/main/docs/patch-format.md#provenance"

// BuilderID stands for what made the image.
const BuilderID = "https://github.com/flotobuild/flotobuild"

// Entry is the name of the entry with the statement about an image.
func Entry(image string) string { return Dir + image + ".json" }

// A Resource is an artifact.
type Resource struct {
	Name      string            `json:"name,omitempty"`
	URI       string            `json:"uri,omitempty"`
	Digest    map[string]string `json:"digest,omitempty"` // hex by algorithm
	MediaType string            `json:"mediaType,omitempty"`
}

// DigestOf gives a digest as resources have it.
func DigestOf(d digest.Digest) map[string]string {
	return map[string]string{d.Algorithm().String(): d.Encoded()}
}

// A Statement says what the subjects, forms of one image, were built from.
type Statement struct {
	Type          string     `json:"_type"`
	Subject       []Resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     Provenance `json:"predicate"`
}

// Provenance is the predicate of SLSA.
type Provenance struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      RunDetails      `json:"runDetails"`
}

// A BuildDefinition holds all inputs.
type BuildDefinition struct {
	BuildType            string     `json:"buildType"`
	ExternalParameters   any        `json:"externalParameters"`
	InternalParameters   any        `json:"internalParameters,omitempty"`
	ResolvedDependencies []Resource `json:"resolvedDependencies,omitempty"`
}

// RunDetails say who built.
type RunDetails struct {
	Builder Builder `json:"builder"`
}

// A Builder is the tool, with the versions of its parts.
type Builder struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version,omitempty"`
}

// Encode gives the bytes of a statement, whose types it fills in.
func Encode(s Statement) ([]byte, error) {
	s.Type, s.PredicateType = StatementType, ProvenanceType
	s.Predicate.BuildDefinition.BuildType = BuildType
	s.Predicate.RunDetails.Builder.ID = BuilderID
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("cannot encode provenance: %w", err)
	}
	return b.Bytes(), nil
}
