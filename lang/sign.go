package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// signKeys evaluates the attribute sign: an object with the file of a private
// key, or a list of those.
func (f *frame) signKeys(b *block, outside bool) []Path {
	v, ok := f.value(b, "sign", cty.DynamicPseudoType)
	if !ok {
		return nil
	}
	expr := b.attrs["sign"].Expr
	if !v.CanIterateElements() || v.Type().IsObjectType() || v.Type().IsMapType() {
		if p, ok := f.signKey(v, outside, expr.Range()); ok {
			return []Path{p}
		}
		return nil
	}
	var out []Path
	seen := make(map[string]bool)
	for i, e := range v.AsValueSlice() {
		p, ok := f.signKey(e, outside, itemRange(expr, i))
		if ok && seen[p.Name] {
			f.report(failure(p.Range, "Duplicate key", "The key %q stands twice in sign; it signs once.", p.Name))
			continue
		}
		if ok {
			out = append(out, p)
			seen[p.Name] = true
		}
	}
	return out
}

// signKey reads one element of sign.
func (f *frame) signKey(v cty.Value, outside bool, rng hcl.Range) (Path, bool) {
	name, ok := signKeyName(v)
	if !ok {
		f.report(failure(rng, "Wrong type", "This names no key that signs. Write sign = { key = \"keys/release.pem\" }, or a list of such objects; flotobuild keygen makes a key."))
		return Path{}, false
	}
	p, d := newPath(name, f.scope.folder.dir, outside, rng)
	if d != nil {
		f.report(d)
		return Path{}, false
	}
	return *p, true
}

func signKeyName(v cty.Value) (string, bool) {
	if t := v.Type(); v.IsNull() || !t.IsObjectType() && !t.IsMapType() {
		return "", false
	}
	members := v.AsValueMap()
	key, ok := members["key"]
	if !ok || len(members) != 1 || key.IsNull() || key.Type() != cty.String {
		return "", false
	}
	return key.AsString(), true
}

// SPDX is the form of lists of packages.
const SPDX = "spdx"

// packageList evaluates the attribute sbom.
func (f *frame) packageList(b *block) string {
	v, ok := f.text(b, "sbom")
	if ok && v != SPDX {
		f.report(failure(b.attrs["sbom"].Expr.Range(), "Invalid form", "Packages are not listed in the form %q. Write sbom = %q, or remove the attribute.", v, SPDX))
		return ""
	}
	return v
}

// The choices of how layers travel.
const (
	DeltaAuto = "auto" // as deltas where these are smaller
	DeltaOff  = "off"  // whole
)

// delta evaluates how layers travel.
func (f *frame) delta(b *block) string {
	v, ok := f.text(b, "delta")
	switch {
	case !ok:
		return DeltaAuto
	case v != DeltaAuto && v != DeltaOff:
		f.report(failure(b.attrs["delta"].Expr.Range(), "Invalid choice", "Layers do not travel in the way %q. Write delta = %q or delta = %q, or remove the attribute.", v, DeltaAuto, DeltaOff))
		return DeltaAuto
	}
	return v
}
