package lang

import (
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/hashicorp/hcl/v2"
)

// A ParentKind says how a parent is named.
type ParentKind string

// The forms in which a patch block names parents.
const (
	ParentLatest     ParentKind = "latest"     // the newest patch at hand, or none where there is none
	ParentNone       ParentKind = "none"       // no parent: an initial patch
	ParentID         ParentKind = "id"         // a patch's id
	ParentPath       ParentKind = "path"       // a patch file, a description, a receipt, or a folder of patches
	ParentConstraint ParentKind = "constraint" // on the versions of the patches at hand
	ParentArtifact   ParentKind = "artifact"   // a description in a registry
)

// artifactScheme begins the references of descriptions in registries.
const artifactScheme = "oci://"

// A Parent names a patch that the next one applies to.
type Parent struct {
	Kind ParentKind
	// Text is what the configuration says; of a path it is the clean one, relative
	// to the project, and of an artifact the reference without oci://.
	Text  string
	Range hcl.Range

	constraint *semver.Constraints
}

// Satisfied says whether a patch's version satisfies the constraint. It is false
// for every other kind, and for what is no semantic version.
func (p Parent) Satisfied(version string) bool {
	v, err := semver.StrictNewVersion(version)
	return err == nil && p.constraint != nil && p.constraint.Check(v)
}

// ParentFlag stands for the file in the ranges of parents that the command line
// names. Their paths are relative to the project folder.
const ParentFlag = "-parent"

// CommandParent reads a parent that the command line names. Its paths are
// relative to the project folder and may lead out of it.
func CommandParent(text string) (Parent, *hcl.Diagnostic) {
	return newParent(text, ".", true, hcl.Range{Filename: ParentFlag})
}

// newParent tells the forms apart; paths are those of a file in the folder dir.
func newParent(text, dir string, outside bool, rng hcl.Range) (Parent, *hcl.Diagnostic) {
	p := Parent{Text: text, Range: rng}
	switch {
	case text == "":
		return p, failure(rng, "Invalid parent", "The parent is empty. Write latest, none, a patch's id, a file, a folder, or a constraint on versions.")
	case text == string(ParentLatest) || text == string(ParentNone):
		p.Kind = ParentKind(text)
	case strings.HasPrefix(text, artifactScheme):
		p.Kind, p.Text = ParentArtifact, strings.TrimPrefix(text, artifactScheme)
		if p.Text == "" {
			return p, failure(rng, "Invalid parent", "%q names no artifact. Write oci://REGISTRY/REPOSITORY:TAG.", text)
		}
	case isConstraint(text):
		p.Kind = ParentConstraint
		var err error
		if p.constraint, err = parseConstraint(text); err != nil {
			return p, failure(rng, "Invalid parent", "%q is no version constraint: %s. Write, for instance, \"~> 2.1\" or \">= 2.1, < 3\".", text, err)
		}
	case isParentPath(text):
		path, d := newPath(text, dir, outside, rng)
		if d != nil {
			return p, d
		}
		p.Kind, p.Text = ParentPath, path.Name
	default:
		p.Kind = ParentID
		if hint := didYouMean(strings.ToLower(text), []string{"latest", "none"}); hint != "" {
			return p, failure(rng, "Invalid parent", "%q is no patch's id.%s Otherwise write a patch's id, a file, a folder such as ./dist, or a constraint on versions.", text, hint)
		}
	}
	return p, nil
}

// isConstraint tells constraints, whole versions included, from ids, which begin
// with a date.
func isConstraint(text string) bool {
	if strings.ContainsAny(text[:1], "~<>=^!*") {
		return true
	}
	_, err := semver.StrictNewVersion(text)
	return err == nil && !strings.ContainsAny(text, "-+")
}

func isParentPath(text string) bool {
	return text == "." || text == ".." || strings.Contains(text, "/") ||
		strings.HasSuffix(text, ".zip") || strings.HasSuffix(text, ".json")
}

// parents evaluates the attributes parent and also_from.
func (f *frame) parents(p *Patch, b *block, outside bool) {
	p.Parent = Parent{Kind: ParentLatest, Text: string(ParentLatest), Range: b.header}
	if v, ok := f.text(b, "parent"); ok {
		p.Parent = f.parent(v, outside, b.attrs["parent"].Expr.Range())
	}
	list, _ := f.texts(b, "also_from")
	for i, text := range list {
		rng := itemRange(b.attrs["also_from"].Expr, i)
		also := f.parent(text, outside, rng)
		switch {
		case also.Kind == ParentNone:
			f.report(failure(rng, "Invalid parent", "also_from lists further parents, and \"none\" is no parent. Leave it out: a patch without a parent applies everywhere."))
			continue
		case p.Parent.Kind == ParentNone:
			f.report(failure(rng, "Invalid parent", "A patch with parent = \"none\" holds everything and applies everywhere. Remove also_from, or name a parent."))
		case slices.ContainsFunc(list[:i], func(o string) bool { return o == text }):
			f.report(failure(rng, "Duplicate parent", "%q stands twice in also_from. Remove one.", text))
			continue
		}
		p.AlsoFrom = append(p.AlsoFrom, also)
	}
}

func (f *frame) parent(text string, outside bool, rng hcl.Range) Parent {
	p, d := newParent(text, f.scope.folder.dir, outside, rng)
	if d != nil {
		f.report(d)
	}
	return p
}
