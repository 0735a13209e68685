package planner

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
)

// Resolve pins every input of what the sites of the configuration need. Images
// that no site needs are neither read nor listed. References to other people's
// images keep what the lock says, see Options.
//
// All problems are found in one run. Those that have a place in the
// configuration, or in a file that it names, come as hcl.Diagnostics, ordered
// by image; any other error is about the surroundings, such as git.
func Resolve(ctx context.Context, cfg *lang.Config, facts Facts, opts Options) (*Desired, error) {
	r := &resolver{cfg: cfg, facts: facts, opts: opts, byKey: make(map[refKey]*ref)}
	if diags := append(r.order(), checkRecipients(cfg)...); diags.HasErrors() {
		return nil, diags
	}
	if err := r.gather(ctx); err != nil {
		return nil, err
	}
	return r.desired()
}

type resolver struct {
	cfg       *lang.Config
	facts     Facts
	opts      Options
	images    []*imageFacts // dependencies first
	confs     []*confFacts
	project   Project
	refs      []*ref // in the order of the images
	byKey     map[refKey]*ref
	changes   []LockChange
	envelopes []*envelopeFacts
	volumes   []*Volume
	strays    []Stray
	warnings  hcl.Diagnostics
}

// imageFacts is what is known of one image.
type imageFacts struct {
	lang       *lang.Image
	contexts   map[string]lang.Context // by context key
	platforms  []string
	dockerfile *Dockerfile
	folder     map[string]digest.Digest            // the build context
	dirs       map[string]map[string]digest.Digest // named contexts that are folders
	rootfs     Rootfs
	size       int64 // of a source, where it is known
}

// order lists the needed images, dependencies first, otherwise by address.
func (r *resolver) order() hcl.Diagnostics {
	var diags hcl.Diagnostics
	state := make(map[*lang.Image]int) // 1: being visited, 2: listed
	var visit func(i *lang.Image)
	visit = func(i *lang.Image) {
		if state[i] == 1 {
			diags = append(diags, problem(i.Range, "Dependency cycle",
				"Image "+i.Address()+" is built on itself. Remove one of the references in contexts that lead back to it."))
		}
		if state[i] != 0 {
			return
		}
		state[i] = 1
		f, problems := newImageFacts(i, r.facts.Platform())
		diags = append(diags, of(problems, i.Address())...)
		for _, dep := range f.dependencies() {
			visit(dep)
		}
		state[i] = 2
		r.images = append(r.images, f)
	}
	for _, i := range r.wanted() {
		visit(i)
	}
	return diags
}

// wanted returns the images that sites carry or volumes hold, sorted by address,
// each once.
func (r *resolver) wanted() []*lang.Image {
	byAddress := make(map[string]*lang.Image)
	for _, s := range r.cfg.Sites {
		for _, i := range s.Images() {
			byAddress[i.Address()] = i
		}
	}
	for _, e := range r.cfg.Envelopes {
		for _, b := range e.Blobs {
			if b.Image != nil {
				byAddress[b.Image.Address()] = b.Image
			}
		}
	}
	var out []*lang.Image
	for _, a := range slices.Sorted(maps.Keys(byAddress)) {
		out = append(out, byAddress[a])
	}
	return out
}

func newImageFacts(i *lang.Image, platform string) (*imageFacts, hcl.Diagnostics) {
	f := &imageFacts{lang: i, contexts: make(map[string]lang.Context), dirs: make(map[string]map[string]digest.Digest)}
	var diags hcl.Diagnostics
	var err error
	if f.platforms, err = normalizePlatforms(i.Platforms, platform); err != nil {
		diags = append(diags, problem(i.Range, "Invalid platform",
			sentence(err)+" Platforms have the form os/architecture, e.g. linux/amd64."))
	}
	if i.Build == nil {
		return f, diags
	}
	for _, name := range slices.Sorted(maps.Keys(i.Build.Contexts)) {
		c := i.Build.Contexts[name]
		key, err := ContextKey(name)
		if err != nil {
			diags = append(diags, problem(orRange(c.Range, i.Range), "Invalid context name",
				sentence(err)+" A context has the name of a build stage or an image reference, in lower case."))
			continue
		}
		if _, ok := f.contexts[key]; ok {
			diags = append(diags, problem(orRange(c.Range, i.Range), "Duplicate context name",
				"The name \""+name+"\" means the same as another one in contexts. Remove one of them."))
			continue
		}
		f.contexts[key] = c
	}
	return f, diags
}

// dependencies returns the images that this one is built on, sorted by address.
func (f *imageFacts) dependencies() []*lang.Image {
	var deps []*lang.Image
	for _, c := range f.contexts {
		if c.Image != nil && !slices.Contains(deps, c.Image) {
			deps = append(deps, c.Image)
		}
	}
	slices.SortFunc(deps, func(a, b *lang.Image) int { return strings.Compare(a.Address(), b.Address()) })
	return deps
}
