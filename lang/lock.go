package lang

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/opencontainers/go-digest"
	"github.com/zclconf/go-cty/cty"
)

// LockFile is the name of the lock file in the project folder.
const LockFile = ".flotobuild.lock.hcl"

// A Lock holds what the image references of a project were resolved to.
type Lock struct {
	Entries []LockEntry // sorted by source and constraint, each pair once
}

// A LockEntry is one resolved reference.
type LockEntry struct {
	// Source is the reference: of a registry in its familiar form, or
	// oci-layout://PATH[:TAG]. With a constraint it has no tag.
	Source     string
	Constraint string // as the configuration has it; empty for references with a tag
	Version    string // the tag chosen by the constraint; empty without one
	Digest     digest.Digest

	Range hcl.Range // of the block's header; not set for entries that come from no file
}

// NewLock makes a lock of entries in any order.
func NewLock(entries []LockEntry) *Lock {
	l := &Lock{Entries: slices.Clone(entries)}
	slices.SortFunc(l.Entries, func(a, b LockEntry) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Constraint, b.Constraint))
	})
	return l
}

// Equal reports whether two locks say the same, wherever it stands.
func (l *Lock) Equal(o *Lock) bool {
	return slices.EqualFunc(l.Entries, o.Entries, func(a, b LockEntry) bool {
		a.Range, b.Range = hcl.Range{}, hcl.Range{}
		return a == b
	})
}

const lockHeader = `# Written by "flotobuild plan" and "flotobuild apply", which resolve image
# references anew with -upgrade. Commit this file, so that all resolve them alike.
`

// Encode returns the lock file's bytes. Equal locks have equal bytes.
func (l *Lock) Encode() []byte {
	f := hclwrite.NewEmptyFile()
	for _, e := range l.Entries {
		f.Body().AppendNewline()
		b := f.Body().AppendNewBlock("image", []string{e.Source}).Body()
		for _, a := range []struct{ name, value string }{
			{"constraint", e.Constraint},
			{"version", e.Version},
			{"digest", e.Digest.String()},
		} {
			if a.value != "" {
				b.SetAttributeValue(a.name, cty.StringVal(a.value))
			}
		}
	}
	return hclwrite.Format(append([]byte(lockHeader), f.Bytes()...))
}
