package lang

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// An imageDecl is an image block.
type imageDecl struct {
	set   string
	block *block

	made   []*Image    // its instances; nil until it is evaluated
	values []cty.Value // of the instances
}

func (d *imageDecl) evaluate(f *frame) cty.Value {
	all, ok := f.instances(d.block)
	if !ok {
		return cty.DynamicVal
	}
	for _, inst := range all {
		g := f.within(inst)
		im, v := d.image(g, g.expand(d.block))
		g.close()
		d.made, d.values = append(d.made, im), append(d.values, v)
	}
	return gather(all, d.values)
}

// image evaluates one instance.
func (d *imageDecl) image(f *frame, b *block) (*Image, cty.Value) {
	im := &Image{
		Module: f.scope.address(), Set: d.set, Name: f.blockName(b), Label: b.name(),
		Index: f.instance.suffix(), Range: b.header,
	}
	outside := f.allowOutside(b)
	switch d.origin(f) {
	case "context":
		im.Build = f.build(b, outside)
	case "rootfs":
		im.Rootfs, _ = f.path(b, "rootfs", outside)
	case "source":
		im.Source = f.source(b, outside)
	}
	im.Platforms = f.platforms(b)
	im.Labels = f.textMap(b, "labels")
	f.preconditions(b)
	addr := f.node.addr + im.Index
	f.scope.images[addr] = im
	return im, cty.ObjectVal(map[string]cty.Value{
		"address": cty.StringVal(addr),
		"set":     cty.StringVal(im.Set),
		"name":    cty.StringVal(im.Name),
	})
}

// buildAttributes make sense in Dockerfile builds only.
var buildAttributes = []string{"dockerfile", "target", "args", "contexts", "secrets"}

// origin returns which attribute says where the image comes from, and checks
// that there is exactly one.
func (d *imageDecl) origin(f *frame) string {
	var given []string
	for _, n := range []string{"context", "rootfs", "source"} {
		if d.block.attrs[n] != nil {
			given = append(given, n)
		}
	}
	if len(given) != 1 {
		f.report(imageOriginError(d.block, given))
		return ""
	}
	d.checkFitting(f, given[0])
	return given[0]
}

func imageOriginError(b *block, given []string) *hcl.Diagnostic {
	if len(given) == 0 {
		return failure(b.header, "Image without origin",
			"The image %q needs one of: context (a Dockerfile build), rootfs (a tar file), source (an image that others made).", b.name())
	}
	return failure(b.attrs[given[1]].NameRange, "Conflicting attributes",
		"The image %q has %s, but an image is made in one way. Keep one of them.", b.name(), strings.Join(given, " and "))
}

// checkFitting refuses attributes that an image of this origin ignores.
func (d *imageDecl) checkFitting(f *frame, origin string) {
	unfit := []string{}
	if origin != "context" {
		unfit = slices.Clone(buildAttributes)
	}
	if origin == "source" {
		unfit = append(unfit, "labels")
	} else {
		unfit = append(unfit, "version")
	}
	for _, a := range d.block.sortedAttrs() {
		if slices.Contains(unfit, a.Name) {
			f.report(failure(a.NameRange, "Attribute without effect",
				"The attribute %q has no meaning for an image with %s. Remove it.", a.Name, origin))
		}
	}
}

var validPlatform = regexp.MustCompile(`^[a-z0-9_]+/[a-z0-9_]+(/[a-z0-9_.]+)?$`)

// platforms evaluates and checks the attribute platforms.
func (f *frame) platforms(b *block) []string {
	list, _ := f.texts(b, "platforms")
	for i, p := range list {
		rng := itemRange(b.attrs["platforms"].Expr, i)
		switch {
		case !validPlatform.MatchString(p):
			f.report(failure(rng, "Invalid platform", "%q is no platform. Write OS/ARCHITECTURE[/VARIANT], such as linux/amd64 or linux/arm/v7.", p))
		case slices.Contains(list[:i], p):
			f.report(failure(rng, "Duplicate platform", "The platform %q stands twice. Remove one.", p))
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// build evaluates the attributes of a Dockerfile build.
func (f *frame) build(b *block, outside bool) *Build {
	out := &Build{Dockerfile: "Dockerfile"}
	if p, ok := f.path(b, "context", outside); ok {
		out.Context = *p
	}
	if v, ok := f.text(b, "dockerfile"); ok {
		out.Dockerfile = f.dockerfile(v, b.attrs["dockerfile"].Expr.Range())
	}
	out.Target, _ = f.text(b, "target")
	out.Args = f.textMap(b, "args")
	out.Contexts = f.contexts(b, outside)
	out.Secrets = f.buildSecrets(b, outside)
	return out
}

// dockerfile checks a Dockerfile's path, which is relative to the context.
func (f *frame) dockerfile(name string, rng hcl.Range) string {
	if d := checkPathText(name, rng); d != nil {
		f.report(d)
		return name
	}
	clean := path.Clean(name)
	if leavesProject(clean) {
		f.report(failure(rng, "Path outside of the build context",
			"The Dockerfile %q lies outside of the context. Move it into the context, or name a larger context.", name))
	}
	return clean
}
