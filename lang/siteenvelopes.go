package lang

import (
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// siteEnvelopes evaluates the envelopes that travel in a site's patch. An
// envelope with for_each stands for all of its instances.
func (f *frame) siteEnvelopes(b *block) []*Envelope {
	v, ok := f.value(b, "envelopes", cty.DynamicPseudoType)
	if !ok {
		return nil
	}
	expr := b.attrs["envelopes"].Expr
	if t := v.Type(); !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		f.report(failure(expr.Range(), "Wrong type", "The attribute \"envelopes\" needs a list of envelopes: write [envelope.NAME, …]."))
		return nil
	}
	var out []*Envelope
	for i, e := range v.AsValueSlice() {
		out = f.addEnvelopes(out, e, itemRange(expr, i))
	}
	sortEnvelopes(out)
	return out
}

func (f *frame) addEnvelopes(out []*Envelope, v cty.Value, rng hcl.Range) []*Envelope {
	if isRepeated(v) {
		elems := v.AsValueMap()
		for _, k := range slices.Sorted(maps.Keys(elems)) {
			out = f.addEnvelopes(out, elems[k], rng)
		}
		return out
	}
	e := f.scope.envelopes[addressOf(v)]
	switch {
	case e == nil:
		f.report(failure(rng, "Wrong type", "This is no envelope. Write envelope.NAME."))
		return out
	case slices.Contains(out, e):
		f.report(failure(rng, "Duplicate envelope", "The envelope %q stands twice in the list. Remove one.", e.Name))
		return out
	}
	return append(out, e)
}

// checkEnvelopes gives every envelope its UUID, and checks what no envelope can
// see on its own.
func (p *project) checkEnvelopes(cfg *Config) {
	for i, e := range cfg.Envelopes {
		if e.UUID == "" {
			e.UUID = envelopeUUID(cfg.Settings.Name, e.Name)
		}
		if i > 0 && cfg.Envelopes[i-1].Name == e.Name {
			p.report(duplicateName(e.Name, "envelope", "", e.Range, cfg.Envelopes[i-1].Range))
		}
	}
}

// envelopeUUID makes the UUID of an envelope that has none from the names of
// project and envelope: the same on every machine.
func envelopeUUID(project, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("flotobuild:"+project+"/envelope/"+name)).String()
}
