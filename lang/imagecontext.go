package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

const (
	dockerImageScheme = "docker-image://"
	layoutScheme      = "oci-layout://"
)

// contexts evaluates the additional build contexts.
func (f *frame) contexts(b *block, outside bool) map[string]Context {
	elems := f.elements(b, "contexts")
	if len(elems) == 0 {
		return nil
	}
	out := make(map[string]Context)
	for _, name := range slices.Sorted(maps.Keys(elems)) {
		rng := elementRange(b.attrs["contexts"].Expr, name)
		if c, ok := f.context(elems[name], rng, outside); ok {
			out[name] = c
		}
	}
	return out
}

func (f *frame) context(v cty.Value, rng hcl.Range, outside bool) (Context, bool) {
	c := Context{Range: rng}
	switch {
	case v.IsNull():
		return c, false
	case v.Type() == cty.String:
		return c, f.contextText(&c, v.AsString(), outside)
	}
	c.Image = f.scope.images[addressOf(v)]
	switch {
	case c.Image == nil && isRepeated(v):
		f.report(failure(rng, "Wrong type",
			"This is not one image but several, by for_each. Choose one with [\"KEY\"] behind it; the keys are: %s.", keyList(v)))
	case c.Image == nil:
		f.report(failure(rng, "Wrong type",
			"A build context is an image of the project (image_set.SET.image.NAME), a folder, or docker-image://REFERENCE."))
	}
	return c, c.Image != nil
}

func (f *frame) contextText(c *Context, text string, outside bool) bool {
	ref, isRef := strings.CutPrefix(text, dockerImageScheme)
	if isRef {
		c.Ref = text
		return f.checkReference(ref, c.Range)
	}
	if scheme, _, ok := strings.Cut(text, "://"); ok {
		f.report(failure(c.Range, "Invalid build context",
			"A build context cannot be %s://. Write an image of the project, a folder, or docker-image://REFERENCE.", scheme))
		return false
	}
	if strings.HasPrefix(text, "image_set.") && strings.Contains(text, ".image.") {
		f.report(failure(c.Range, "Quoted reference",
			"In quotes, %s is the name of a folder. Remove the quotes to refer to the image.", text))
		return false
	}
	p, d := f.located(text, outside, c.Range)
	if d != nil {
		f.report(d)
		return false
	}
	c.Dir = p
	return true
}

// addressOf returns the address that image, image set and root definition
// objects carry, and nothing for other values.
func addressOf(v cty.Value) string {
	if !v.Type().IsObjectType() || v.IsNull() || !v.Type().HasAttribute("address") {
		return ""
	}
	a := v.GetAttr("address")
	if a.Type() != cty.String || a.IsNull() || !a.IsKnown() {
		return ""
	}
	return a.AsString()
}

func (f *frame) checkReference(ref string, rng hcl.Range) bool {
	_, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		f.report(failure(rng, "Invalid image reference",
			"%q is no image reference: %s. Write REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST.", ref, err))
	}
	return err == nil
}

// buildSecrets evaluates { NAME = { env = … } or { file = … } }.
func (f *frame) buildSecrets(b *block, outside bool) map[string]Secret {
	elems := f.elements(b, "secrets")
	if len(elems) == 0 {
		return nil
	}
	out := make(map[string]Secret)
	for _, name := range slices.Sorted(maps.Keys(elems)) {
		rng := elementRange(b.attrs["secrets"].Expr, name)
		if s, ok := f.buildSecret(name, elems[name], rng, outside); ok {
			out[name] = s
		}
	}
	return out
}

func (f *frame) buildSecret(name string, v cty.Value, rng hcl.Range, outside bool) (Secret, bool) {
	key, text := soleText(v)
	switch {
	case key == "env" && text != "" && !strings.Contains(text, "="):
		return Secret{Env: text}, true
	case key == "file":
		p, d := f.located(text, outside, rng)
		if d != nil {
			f.report(d)
			return Secret{}, false
		}
		return Secret{File: p}, true
	}
	f.report(failure(rng, "Invalid secret",
		`The secret %q needs exactly one of env and file: write { env = "NAME_OF_VARIABLE" } or { file = "PATH" }.`, name))
	return Secret{}, false
}

// soleText returns the only element of an object or map, if that is a string.
func soleText(v cty.Value) (key, text string) {
	if v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
		return "", ""
	}
	for k, e := range v.AsValueMap() {
		if e.IsNull() {
			continue
		}
		if key != "" || e.Type() != cty.String {
			return "", ""
		}
		key, text = k, e.AsString()
	}
	return key, text
}
