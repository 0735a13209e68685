package lang

import (
	"strings"

	"github.com/distribution/reference"
	"github.com/hashicorp/hcl/v2"
)

// source evaluates the reference of an image that others made.
func (f *frame) source(b *block, outside bool) *Source {
	text, ok := f.text(b, "source")
	if !ok {
		return nil
	}
	rng := b.attrs["source"].Expr.Range()
	out := &Source{Ref: text, Range: rng}
	if rest, isLayout := strings.CutPrefix(text, layoutScheme); isLayout {
		var suffix string
		out.Ref, suffix = f.layoutReference(rest, rng, outside)
		out.Version = f.imageVersion(b, suffix)
		return out
	}
	if scheme, _, ok := strings.Cut(text, "://"); ok {
		f.report(failure(rng, "Invalid image reference",
			"A source cannot be %s://. Write a registry reference without scheme, or oci-layout://PATH:TAG.", scheme))
		return out
	}
	if f.checkReference(text, rng) {
		out.Version = f.imageVersion(b, referenceSuffix(text))
	}
	return out
}

// referenceSuffix returns the tag and digest of a valid registry reference.
func referenceSuffix(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(named.String(), named.Name())
}

// imageVersion evaluates the constraint that chooses the tag. suffix is what
// stands behind the name in the source.
func (f *frame) imageVersion(b *block, suffix string) *Constraint {
	text, ok := f.text(b, "version")
	if !ok {
		return nil
	}
	rng := b.attrs["version"].Expr.Range()
	if suffix != "" {
		f.report(failure(rng, "Conflicting version",
			"The source ends in %q, and so names one image already; version chooses one by its tag. Remove one of the two.", suffix))
	}
	c, err := ParseConstraint(text)
	if err != nil {
		f.report(failure(rng, "Invalid version constraint",
			"The constraint %q cannot be read: %s. Write one such as ~> 3.2 or >= 3.2, < 5.", text, err))
		return nil
	}
	c.Range = rng
	return c
}

// layoutReference makes the path of PATH[:TAG][@DIGEST] clean. It also returns
// what stands behind the path.
func (f *frame) layoutReference(text string, rng hcl.Range, outside bool) (ref, suffix string) {
	name := text
	if i := strings.IndexAny(text[strings.LastIndex(text, "/")+1:], ":@"); i >= 0 {
		i += strings.LastIndex(text, "/") + 1
		name, suffix = text[:i], text[i:]
	}
	p, d := f.located(name, outside, rng)
	if d != nil {
		f.report(d)
		return layoutScheme + text, suffix
	}
	return layoutScheme + p.Name + suffix, suffix
}
