package lang

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/opencontainers/go-digest"
	"github.com/zclconf/go-cty/cty"
)

// maxLockSize is the size in bytes beyond which a lock file is refused; some
// 50,000 references fit in.
const maxLockSize = 16 << 20

// mendLock is the remedy where the file as a whole is of no use.
const mendLock = "Restore it from version control, or remove it and have it written anew with: flotobuild plan"

// LoadLock reads the lock file in the root folder of fsys. Where there is none
// the lock is empty. The source is returned, too, so that diagnostics can show
// its lines; it is nil where there is no file.
func LoadLock(fsys fs.FS) (*Lock, []byte, hcl.Diagnostics) {
	src, err := readLimited(fsys, LockFile, maxLockSize)
	if errors.Is(err, fs.ErrNotExist) {
		return &Lock{}, nil, nil
	}
	if err != nil {
		return &Lock{}, nil, hcl.Diagnostics{fileError(LockFile, err, fileRange(LockFile))}
	}
	l, diags := ParseLock(src, LockFile)
	return l, src, diags
}

// ParseLock reads a lock file, with name as the one that ranges use. All that is
// wrong with it is reported; the lock holds the entries without errors.
func ParseLock(src []byte, name string) (*Lock, hcl.Diagnostics) {
	if diags := mergeConflicts(src, name); diags.HasErrors() {
		return &Lock{}, diags
	}
	if d := checkNesting(name, src); d != nil {
		return &Lock{}, hcl.Diagnostics{d}
	}
	f, diags := parseNative(src, name)
	for _, d := range diags {
		d.Detail += " " + mendLock
	}
	body, ok := f.Body.(*hclsyntax.Body)
	if diags.HasErrors() || !ok {
		return &Lock{}, diags
	}
	r := lockReader{seen: make(map[[2]string]hcl.Range)}
	r.file(body)
	return NewLock(r.entries), sortDiagnostics(r.diags)
}

// mergeConflicts finds the lines that version control leaves in a file when a
// merge fails.
func mergeConflicts(src []byte, name string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	line, start := 1, 0
	for text := range bytes.Lines(src) {
		if bytes.HasPrefix(text, []byte("<<<<<<< ")) {
			trimmed := len(bytes.TrimRight(text, "\r\n"))
			diags = append(diags, failure(hcl.Range{
				Filename: name,
				Start:    hcl.Pos{Line: line, Column: 1, Byte: start},
				End:      hcl.Pos{Line: line, Column: 1 + trimmed, Byte: start + trimmed},
			}, "Merge conflict in the lock file",
				"A merge has left both sides here. Keep one of them and remove the lines <<<<<<<, ======= and >>>>>>>; then flotobuild plan adds what is missing."))
		}
		line, start = line+1, start+len(text)
	}
	return diags
}

// A lockReader collects the entries of a lock file.
type lockReader struct {
	entries []LockEntry
	seen    map[[2]string]hcl.Range // by source and constraint
	diags   hcl.Diagnostics
}

func (r *lockReader) fail(rng hcl.Range, summary, detail string, args ...any) {
	r.diags = append(r.diags, failure(rng, summary, detail, args...))
}

// unknown refuses what a later version may have written.
func (r *lockReader) unknown(rng hcl.Range, kind, name string, known ...string) {
	r.fail(rng, "Unknown "+kind+" in the lock file",
		"There is no %s %q in the lock files of this version.%s", kind, name,
		didYouMeanOr(name, known, "Where a later flotobuild has written it, use that one; otherwise remove it."))
}

func (r *lockReader) file(body *hclsyntax.Body) {
	for name, a := range body.Attributes {
		r.unknown(a.NameRange, "attribute", name)
	}
	for _, b := range body.Blocks {
		if b.Type != "image" {
			r.unknown(b.TypeRange, "block", b.Type, "image")
			continue
		}
		r.block(b)
	}
}

func (r *lockReader) block(b *hclsyntax.Block) {
	before := len(r.diags)
	e := LockEntry{Range: b.DefRange()}
	if len(b.Labels) != 1 {
		r.fail(e.Range, "Invalid block in the lock file", "The block image has one label, the reference; here are %d. %s", len(b.Labels), mendLock)
		return
	}
	e.Source = b.Labels[0]
	if e.Source == "" || strings.ContainsFunc(e.Source, unicode.IsControl) {
		r.fail(b.LabelRanges[0], "Invalid reference in the lock file", "%q is no image reference. %s", e.Source, mendLock)
	}
	for _, inner := range b.Body.Blocks {
		r.unknown(inner.TypeRange, "block", inner.Type)
	}
	r.attributes(b, &e)
	key := [2]string{e.Source, e.Constraint}
	if first, ok := r.seen[key]; ok {
		r.fail(e.Range, "Duplicate entry in the lock file",
			"The reference %q with this constraint stands at %s already. Remove one of them.", e.Source, place(first))
	}
	r.seen[key] = e.Range
	if len(r.diags) == before {
		r.entries = append(r.entries, e)
	}
}

func (r *lockReader) attributes(b *hclsyntax.Block, e *LockEntry) {
	known := []string{"constraint", "digest", "version"}
	for name, a := range b.Body.Attributes {
		if !slices.Contains(known, name) {
			r.unknown(a.NameRange, "attribute", name, known...)
		}
	}
	var d string
	r.text(b, "constraint", &e.Constraint, func(s string) error {
		_, err := parseConstraint(s)
		return err
	})
	r.text(b, "version", &e.Version, func(s string) error {
		if _, ok := parseTag(s); !ok {
			return errors.New("it is no version such as 3.2.5")
		}
		return nil
	})
	r.text(b, "digest", &d, func(s string) error { return digest.Digest(s).Validate() })
	e.Digest = digest.Digest(d)
	if b.Body.Attributes["digest"] == nil {
		r.fail(e.Range, "Missing digest in the lock file", "The entry of %q has no digest. %s", e.Source, mendLock)
	}
	if (b.Body.Attributes["constraint"] == nil) != (b.Body.Attributes["version"] == nil) {
		r.fail(e.Range, "Incomplete entry in the lock file",
			"The entry of %q has only one of constraint and version. %s", e.Source, mendLock)
	}
}

// text reads an attribute that is there, a string that holds what valid wants.
func (r *lockReader) text(b *hclsyntax.Block, name string, to *string, valid func(string) error) {
	a := b.Body.Attributes[name]
	if a == nil {
		return
	}
	v, diags := a.Expr.Value(nil)
	err := errors.New("it is no plain string")
	if !diags.HasErrors() && v.Type() == cty.String && !v.IsNull() && v.IsKnown() {
		*to = v.AsString()
		err = valid(*to)
	}
	if err != nil {
		r.fail(a.Expr.Range(), fmt.Sprintf("Invalid %s in the lock file", name),
			"The %s of %q cannot be read: %s. %s", name, b.Labels[0], err, mendLock)
	}
}
