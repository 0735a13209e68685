package planner

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/lang"
)

// desired puts the gathered facts together.
func (r *resolver) desired() (*Desired, error) {
	d := &Desired{Project: r.project, Engine: engine(r.cfg.Settings.Engine), LockChanges: r.changes, Warnings: r.warnings, Volumes: r.volumes, Strays: r.strays}
	done := make(map[string]*Image)
	var diags hcl.Diagnostics
	for _, f := range r.images {
		img, err := r.image(f)
		if err != nil {
			diags = append(diags, problem(f.lang.Range, "Invalid image reference", sentence(err)))
			continue
		}
		img.Fingerprint = fingerprint(img, f, done)
		done[img.Address] = img
		d.Images = append(d.Images, img)
	}
	if diags.HasErrors() {
		return nil, diags
	}
	if err := r.pinImages(done); err != nil {
		return nil, err
	}
	for _, s := range r.cfg.Sites {
		d.Sites = append(d.Sites, r.site(s))
	}
	for _, f := range r.envelopes {
		d.Envelopes = append(d.Envelopes, f.pinned)
	}
	slices.SortFunc(d.Sites, func(a, b *Site) int { return strings.Compare(a.Name, b.Name) })
	return d, nil
}

func engine(e lang.Engine) Engine {
	return Engine{Hosts: e.Hosts, Compression: e.Compression, CABundle: e.CABundle}
}

func (r *resolver) image(f *imageFacts) (*Image, error) {
	i := f.lang
	img := &Image{
		Address:   i.Address(),
		Name:      i.Name,
		Platforms: f.platforms,
		Labels:    i.Labels,
	}
	for _, dep := range f.dependencies() {
		img.DependsOn = append(img.DependsOn, dep.Address())
	}
	switch {
	case i.Rootfs != nil:
		img.Kind, img.Rootfs = KindRootfs, &f.rootfs
	case i.Source != nil:
		n := r.byKey[keyOf(i.Source.Ref, i.Source.Version)]
		img.Kind, img.Source = KindSource, &Source{Ref: i.Source.Ref, Version: n.version, Digest: n.digest, Size: f.size}
	default:
		img.Kind = KindBuild
		b, err := r.build(f)
		if err != nil {
			return nil, err
		}
		img.Build = b
	}
	return img, nil
}

func (r *resolver) build(f *imageFacts) (*Build, error) {
	src := f.lang.Build
	b := &Build{Context: src.Context.Name, Dockerfile: src.Dockerfile, Target: src.Target, Args: src.Args}
	for name, c := range f.contexts {
		pinned, err := r.context(c)
		if err != nil {
			return nil, err
		}
		setIn(&b.Contexts, name, pinned)
	}
	for name, s := range src.Secrets {
		secret := Secret{Env: s.Env}
		if s.File != nil {
			secret.File = s.File.Name
		}
		setIn(&b.Secrets, name, secret)
	}
	for _, ref := range f.dockerfile.References {
		setIn(&b.Pins, ref, r.digestOf(ref, nil))
	}
	return b, nil
}

// setIn sets a key of a map that may not exist yet, so that maps without
// entries stay nil and survive a trip through JSON.
func setIn[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = make(map[string]V)
	}
	(*m)[key] = v
}

func (r *resolver) context(c lang.Context) (Context, error) {
	switch {
	case c.Image != nil:
		return Context{Image: c.Image.Address()}, nil
	case c.Dir != nil:
		return Context{Dir: c.Dir.Name}, nil
	}
	ref, err := pinContext(c.Ref, r.digestOf(contextRef(c), nil))
	return Context{Ref: ref}, err
}

// contextRef returns the reference of a docker-image:// context.
func contextRef(c lang.Context) string { return strings.TrimPrefix(c.Ref, imageScheme) }

func (r *resolver) site(s *lang.Site) *Site {
	out := &Site{
		Name:               s.Name,
		Address:            s.Address(),
		RootDefinitionFile: s.RootDefinition.File.Name,
		Patch: Patch{
			Name:    s.Patch.Name,
			Version: s.Patch.Version,
			Comment: s.Patch.Comment,
			Output:  s.Patch.Output.Name,
			MaxSize: s.Patch.Policy.MaxSize,

			Provenance: s.Patch.Provenance,
			SBOM:       s.Patch.SBOM,
			Delta:      deltaOf(s.Patch.Delta),
			Encrypt:    encryption(s.Patch.Encrypt),
			VolumeSize: s.Patch.VolumeSize,
			Parity:     s.Patch.Parity,
		},
		Conf: r.conf(s.RootDefinition).files,
	}
	for _, k := range s.Patch.SignKeys {
		out.Patch.SignKeys = append(out.Patch.SignKeys, k.Name)
	}
	for _, i := range s.Images() {
		out.Images = append(out.Images, SiteImage{Name: i.Name, Address: i.Address()})
	}
	for _, e := range s.Envelopes {
		out.Envelopes = append(out.Envelopes, e.Address())
	}
	return out
}

// DeltaOff makes every layer travel whole.
const DeltaOff = lang.DeltaOff

// deltaOf leaves out of a plan what goes without saying.
func deltaOf(choice string) string {
	if choice == DeltaOff {
		return DeltaOff
	}
	return ""
}
