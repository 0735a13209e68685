package lang

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

var envelopeActions = []string{"activate", "store"}

// An envelopeDecl is an envelope block.
type envelopeDecl struct{ block *block }

func (d *envelopeDecl) repeats() bool { return d.block.repeats() }

// knowsEach says that each makes sense somewhere in the block.
func (d *envelopeDecl) knowsEach() bool {
	return d.repeats() || slices.ContainsFunc(d.block.blocks, (*block).repeats)
}

func (d *envelopeDecl) evaluate(f *frame) cty.Value {
	all, ok := f.instances(d.block)
	if !ok {
		return cty.DynamicVal
	}
	var values []cty.Value
	for _, inst := range all {
		g := f.within(inst)
		values = append(values, d.envelope(g))
		g.close()
	}
	return gather(all, values)
}

// envelope evaluates one instance.
func (d *envelopeDecl) envelope(f *frame) cty.Value {
	e := &Envelope{
		Module: f.scope.address(), Name: f.blockName(d.block), Label: d.block.name(),
		Index: f.instance.suffix(), Range: d.block.header,
	}
	b := f.expand(d.block)
	e.UUID = f.uuid(b, "uuid")
	e.Version, _ = f.text(b, "version")
	e.Activate = f.action(b)
	e.Apps = f.apps(b)
	if c := b.only("controller"); c.spec != nil {
		e.Controller = f.controller(c)
	}
	f.nested(b, "device", func(g *frame, c *block) { e.Devices = append(e.Devices, g.device(c)) })
	f.nested(b, "blob", func(g *frame, c *block) { e.Blobs = append(e.Blobs, g.envelopeBlob(c)) })
	f.checkEnvelope(e, b)
	f.preconditions(b)
	addr := f.node.addr + e.Index
	f.scope.envelopes[addr] = e
	return cty.ObjectVal(map[string]cty.Value{"address": cty.StringVal(addr), "name": cty.StringVal(e.Name)})
}

// nested evaluates the instances of each block of a kind within another one.
func (f *frame) nested(outer *block, kind string, evaluate func(*frame, *block)) {
	for _, c := range outer.blocks {
		if c.kind != kind {
			continue
		}
		all, _ := f.instances(c)
		for _, inst := range all {
			g := f.within(inst)
			evaluate(g, c)
			for _, d := range g.diags {
				Of(d, f.node.addr+f.instance.suffix()+"."+kind+"."+c.name()+inst.suffix())
			}
			f.report(g.diags...)
		}
	}
}

func (f *frame) action(b *block) bool {
	v, ok := f.text(b, "action")
	if ok && !slices.Contains(envelopeActions, v) {
		f.report(failure(b.attrs["action"].Expr.Range(), "Invalid action",
			"%q is no action of an envelope: write one of %s.%s", v, strings.Join(envelopeActions, ", "), didYouMean(v, envelopeActions)))
	}
	return v != "store"
}

func (f *frame) apps(b *block) []string {
	list, _ := f.texts(b, "allowed_apps")
	for i, v := range list {
		list[i] = f.checkUUID(v, itemRange(b.attrs["allowed_apps"].Expr, i))
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

func (f *frame) uuid(b *block, name string) string {
	v, ok := f.text(b, name)
	if !ok {
		return ""
	}
	return f.checkUUID(v, b.attrs[name].Expr.Range())
}

// checkUUID gives the form in which devices compare UUIDs.
func (f *frame) checkUUID(text string, rng hcl.Range) string {
	id, err := uuid.Parse(text)
	if err != nil || len(text) != len(id.String()) {
		f.report(failure(rng, "Invalid UUID", "%q is no UUID. Write one such as 2d4f1c5e-8a0b-4f3d-9c61-0b7e5a3d1f24.", text))
		return text
	}
	return id.String()
}

func (f *frame) controller(b *block) *Controller {
	outside := f.allowOutside(b)
	c := &Controller{Range: b.header, Hash: f.certificateHash(b)}
	if p, ok := f.path(b, "key", outside); ok {
		c.Key = *p
	}
	c.Certificate, _ = f.path(b, "certificate", outside)
	if b.attrs["certificate"] == nil && b.attrs["hash"] == nil {
		f.report(failure(b.header, "Controller without certificate", "Devices know a controller by the hash of its certificate. Name the file with certificate, or write the hash with hash."))
	}
	return c
}

func (f *frame) device(b *block) *Device {
	d := &Device{Name: f.blockName(b), Range: b.header, Hash: f.certificateHash(b)}
	p, ok := f.path(b, "certificate", f.allowOutside(b))
	if ok || b.attrs["certificate"] != nil {
		d.Certificate = p
		if !ok { // what is wrong with it has been reported
			d.Certificate = &Path{Range: b.header}
		}
	}
	return d
}

// certificateHash evaluates an explicit hash.
func (f *frame) certificateHash(b *block) []byte {
	const short, long = 16, 32
	text, ok := f.text(b, "hash")
	if !ok {
		return nil
	}
	h, err := hex.DecodeString(text)
	if err != nil || len(h) != short && len(h) != long {
		f.report(failure(b.attrs["hash"].Expr.Range(), "Invalid hash", "%q is no hash of a certificate: write 32 hexadecimal digits, or 64.", text))
		return nil
	}
	return h
}

// checkEnvelope checks what no part of an envelope can see on its own.
func (f *frame) checkEnvelope(e *Envelope, b *block) {
	if !slices.ContainsFunc(b.blocks, func(c *block) bool { return c.kind == "device" }) {
		f.report(failure(b.header, "Envelope without a device", "The envelope %q needs a block device for each device that it is for.", e.Name))
	}
	slices.SortStableFunc(e.Devices, func(x, y *Device) int { return cmp.Compare(x.Name, y.Name) })
	for i := 1; i < len(e.Devices); i++ {
		if x, y := e.Devices[i-1], e.Devices[i]; x.Name == y.Name {
			f.report(duplicateName(y.Name, "device", "in this envelope ", y.Range, x.Range))
		}
	}
	if !e.Encrypts() {
		return
	}
	if e.Controller == nil {
		f.report(failure(b.header, "Envelope without a controller", "Blobs of the envelope %q are encrypted, which takes a key: add a block controller { key = …, certificate = … }, or take encrypt out.", e.Name))
	}
	for _, d := range e.Devices {
		if d.Certificate == nil {
			f.report(failure(d.Range, "Device without certificate", "Blobs of the envelope %q are encrypted for each device. Name the certificate of %q with certificate, or take encrypt out.", e.Name, d.Name))
		}
	}
}
