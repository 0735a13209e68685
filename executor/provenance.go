package executor

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/attest"
	"github.com/flotobuild/flotobuild/planner"
)

// provenance adds a statement for each image of a draft whose site wants them.
// An image that is taken from the parent keeps the statement that is there:
// only who made it can say from what.
func (r *run) provenance(d *draft) error {
	if !d.site.Patch.Provenance {
		return nil
	}
	var lacking []string
	for _, i := range d.desc.Flotobuild.Images {
		name := attest.Entry(i.Name)
		if !d.makes(i.Name) {
			b, err := r.parents.statement(i)
			if err != nil {
				return err
			}
			if b == nil {
				lacking = append(lacking, i.Name)
				continue
			}
			d.small[name] = b
			continue
		}
		b, err := attest.Encode(r.statement(r.planned(i.Address), i))
		if err != nil {
			return err
		}
		d.small[name] = b
	}
	if len(lacking) > 0 {
		r.warn("site %q: no provenance of %s: taken from a parent that has no statement of it; a patch without a parent has one for each image", d.site.Name, strings.Join(lacking, ", "))
	}
	return nil
}

// makes says whether the site gets the image as this run made it.
func (d *draft) makes(image string) bool {
	return slices.ContainsFunc(d.site.Images, func(c planner.ImageChange) bool { return c.Name == image && c.Made() })
}

// maxStatement bounds a statement that is taken over, in bytes.
const maxStatement = 16 << 20

// statement gives what a parent's file says of an image; nil where none does.
func (p *parents) statement(i patch.Image) ([]byte, error) {
	for _, r := range p.files {
		for _, old := range r.Description.Flotobuild.Images {
			if old.ID != i.ID || old.Descriptor.Digest != i.Descriptor.Digest {
				continue
			}
			if b, err := smallEntry(r, attest.Entry(old.Name)); b != nil || err != nil {
				return b, err
			}
		}
	}
	return nil, nil
}

// smallEntry reads an entry; nil where the patch has none of that name.
func smallEntry(r *patch.Reader, name string) ([]byte, error) {
	listed := func(c patch.Content) bool { return c.Path == name && c.Size <= maxStatement }
	if !slices.ContainsFunc(r.Description.Flotobuild.Contents, listed) {
		return nil, nil
	}
	e, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return io.ReadAll(e)
}

// parameters are an image's inputs as the configuration has them.
type parameters struct {
	Address   string            `json:"address"`
	Kind      string            `json:"kind"`
	Revision  string            `json:"revision,omitempty"`
	Platforms []string          `json:"platforms"`
	Labels    map[string]string `json:"labels,omitempty"`
	Build     *buildParameters  `json:"build,omitempty"`
	Rootfs    string            `json:"rootfs,omitempty"`
	Source    string            `json:"source,omitempty"`
}

// buildParameters are those of a Dockerfile build; of secrets the names.
type buildParameters struct {
	Context    string                     `json:"context"`
	Dockerfile string                     `json:"dockerfile"`
	Target     string                     `json:"target,omitempty"`
	Args       map[string]string          `json:"args,omitempty"`
	Contexts   map[string]planner.Context `json:"contexts,omitempty"`
	Secrets    []string                   `json:"secrets,omitempty"`
}

// statement describes what an image was made from by this run.
func (r *run) statement(p *planner.ImagePlan, i patch.Image) attest.Statement {
	external := parameters{
		Address: p.Address, Kind: p.Kind, Revision: r.plan.Project.Revision, Platforms: p.Platforms, Labels: p.Labels,
	}
	switch {
	case p.Build != nil:
		external.Build = &buildParameters{
			Context: p.Build.Context, Dockerfile: p.Build.Dockerfile, Target: p.Build.Target,
			Args: p.Build.Args, Contexts: p.Build.Contexts, Secrets: slices.Sorted(maps.Keys(p.Build.Secrets)),
		}
	case p.Rootfs != nil:
		external.Rootfs = p.Rootfs.File
	case p.Source != nil:
		external.Source = p.Source.Ref
	}
	s := attest.Statement{Subject: subjects(i)}
	s.Predicate.BuildDefinition.ExternalParameters = external
	s.Predicate.BuildDefinition.InternalParameters = p.Fingerprint
	s.Predicate.BuildDefinition.ResolvedDependencies = r.dependencies(p)
	if r.opts.Producer != "" {
		s.Predicate.RunDetails.Builder.Version = map[string]string{"flotobuild": r.opts.Producer}
	}
	return s
}

// subjects are the forms of an image: what images/index.json names, and the
// manifest and the config of each platform.
func subjects(i patch.Image) []attest.Resource {
	var out []attest.Resource
	add := func(name, mediaType string, d digest.Digest) {
		same := func(o attest.Resource) bool { return maps.Equal(o.Digest, attest.DigestOf(d)) }
		if !slices.ContainsFunc(out, same) {
			out = append(out, attest.Resource{Name: name, MediaType: mediaType, Digest: attest.DigestOf(d)})
		}
	}
	add(i.Name, i.Descriptor.MediaType, i.Descriptor.Digest)
	for _, m := range i.Manifests {
		add(i.Name+" manifest "+m.Platform, m.Descriptor.MediaType, m.Descriptor.Digest)
		add(i.Name+" config "+m.Platform, m.Config.MediaType, m.Config.Digest)
	}
	return out
}

// dependencies lists what the image was made from as far as it has a digest of
// its own bytes. Folders of build contexts have one in the fingerprint only.
func (r *run) dependencies(p *planner.ImagePlan) []attest.Resource {
	var out []attest.Resource
	if p.Build != nil {
		for _, key := range slices.Sorted(maps.Keys(p.Build.Pins)) {
			out = append(out, attest.Resource{URI: "docker-image://" + key, Digest: attest.DigestOf(p.Build.Pins[key])})
		}
	}
	if p.Rootfs != nil {
		out = append(out, attest.Resource{Name: p.Rootfs.File, Digest: attest.DigestOf(p.Rootfs.Digest)})
	}
	if p.Source != nil {
		out = append(out, attest.Resource{URI: p.Source.Ref, Digest: attest.DigestOf(p.Source.Digest)})
	}
	for _, address := range p.DependsOn {
		r.mu.Lock()
		base, ok := r.bases[address]
		r.mu.Unlock()
		if ok {
			out = append(out, attest.Resource{Name: address, MediaType: base.Descriptor.MediaType, Digest: attest.DigestOf(base.Descriptor.Digest)})
		}
	}
	return out
}
