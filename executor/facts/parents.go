package facts

import (
	"context"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/executor/parent"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A Parent is a patch that the next one of a site applies to.
type Parent struct {
	Site string
	// File is the path of the patch file, of a description or of a receipt, or
	// the pinned reference of an artifact, which begins with oci://.
	File        string
	Description *patch.Description
	Digest      digest.Digest // of the exact bytes of its description
	// WithoutLayers says that the description alone is at hand.
	WithoutLayers bool
	// Doubles are the further names under which the site's patch block lists
	// the same patch.
	Doubles []lang.Parent
}

// Ref names the patch as a parent.
func (p Parent) Ref() patch.ParentRef {
	return p.Description.Ref(p.Digest)
}

// Parents finds the parents that the configuration names, in the order of its
// sites; of a site the one that its next patch is compared with comes first.
// Sites with parent "none", and those with "latest" that have no patch yet, have
// no entry. Errors are of type planner.ParentErrors.
//
// The structure of each file is checked, and an unreadable file that could be
// the one is an error: falling back to an older one would make a patch that the
// site cannot use.
func (w *Workspace) Parents(ctx context.Context, cfg *lang.Config) ([]Parent, error) {
	var out []Parent
	var problems planner.ParentErrors
	f := &parentFinder{w: w, lists: make(map[string][]patch.File)}
	for _, s := range cfg.Sites {
		f.site, f.others = s, otherSites(cfg, s)
		found, errs := f.all(ctx)
		problems = append(problems, errs...)
		out = append(out, found...)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return out, nil
}

func otherSites(cfg *lang.Config, s *lang.Site) []string {
	var out []string
	for _, o := range slices.Concat(cfg.Sites, cfg.Unselected) {
		if o.Name != s.Name {
			out = append(out, o.Name)
		}
	}
	return out
}

// A parentFinder finds the parents of one site after another.
type parentFinder struct {
	w      *Workspace
	lists  map[string][]patch.File // by folder
	site   *lang.Site
	others []string // names of the other sites
}

// all finds the parents of the site, each once.
func (f *parentFinder) all(ctx context.Context) ([]Parent, planner.ParentErrors) {
	var out []Parent
	var problems planner.ParentErrors
	for _, want := range slices.Concat([]lang.Parent{f.site.Patch.Parent}, f.site.Patch.AlsoFrom) {
		p, err := f.one(ctx, want)
		if err == nil && p == nil && len(f.site.Patch.AlsoFrom) > 0 {
			err = fmt.Errorf("%q has no patch of this site yet, and also_from asks for one that applies to several; name the parents, or remove also_from", f.site.Patch.Output.Name)
		}
		if err != nil {
			problems = append(problems, &planner.ParentError{Site: f.site.Name, Range: want.Range, Err: err})
			continue
		}
		if p == nil {
			continue
		}
		same := slices.IndexFunc(out, func(o Parent) bool { return o.Ref() == p.Ref() })
		if same >= 0 {
			out[same].Doubles = append(out[same].Doubles, want)
			continue
		}
		if other := slices.IndexFunc(out, func(o Parent) bool { return o.Description.ID == p.Description.ID }); other >= 0 {
			err := fmt.Errorf("%q and %q are different patches with the same id %q; name the one that the site has", out[other].File, p.File, p.Description.ID)
			problems = append(problems, &planner.ParentError{Site: f.site.Name, Range: want.Range, Err: err})
			continue
		}
		out = append(out, *p)
	}
	return out, problems
}

// one finds one parent; nil where there is none and none is needed.
func (f *parentFinder) one(ctx context.Context, want lang.Parent) (*Parent, error) {
	switch want.Kind {
	case lang.ParentNone:
		return nil, nil
	case lang.ParentArtifact:
		return f.open(ctx, parent.Scheme+want.Text)
	case lang.ParentPath:
		return f.path(ctx, want)
	}
	dir := f.site.Patch.Output.Name
	files, err := f.list(dir)
	if err != nil {
		return nil, err
	}
	var file *patch.File
	switch want.Kind {
	case lang.ParentID:
		file, err = f.byID(want.Text, dir, files)
	case lang.ParentConstraint:
		file, err = f.satisfying(want, dir, files)
	default:
		file, err = f.latest(files)
	}
	if err != nil || file == nil {
		return nil, err
	}
	return f.openListed(ctx, file, files)
}

func (f *parentFinder) list(dir string) ([]patch.File, error) {
	files, ok := f.lists[dir]
	if !ok {
		var err error
		if files, err = f.w.opener.List(f.w.path(dir)); err != nil {
			return nil, err
		}
		f.lists[dir] = files
	}
	return files, nil
}

// openListed opens a file of a folder, unless the folder leaves in doubt which
// patch it is.
func (f *parentFinder) openListed(ctx context.Context, file *patch.File, files []patch.File) (*Parent, error) {
	h := file.Header
	for _, o := range files {
		if o.Header != nil && o.Header.Description.ID == h.Description.ID && o.Header.Digest != h.Digest {
			return nil, fmt.Errorf("%q and %q are different patches with the same id %q; remove the one that the site does not have", file.Path, o.Path, h.Description.ID)
		}
	}
	if onCycle(h.Description, files) {
		return nil, fmt.Errorf("%q is its own ancestor: patches of its folder name each other as parents; remove those that were made wrongly", file.Path)
	}
	return f.open(ctx, file.Path)
}

// onCycle follows the parents through the files at hand, by their ids.
func onCycle(d *patch.Description, files []patch.File) bool {
	byID := make(map[string]*patch.Description)
	for _, o := range files {
		if o.Header != nil {
			byID[o.Header.Description.ID] = o.Header.Description
		}
	}
	seen := make(map[string]bool)
	queue := slices.Clone(d.Flotobuild.Parents)
	for len(queue) > 0 {
		id := queue[0].ID
		queue = queue[1:]
		if id == d.ID {
			return true
		}
		if next := byID[id]; next != nil && !seen[id] {
			seen[id] = true
			queue = append(queue, next.Flotobuild.Parents...)
		}
	}
	return false
}

// open opens a parent and checks that it is one of the site, and trusted.
func (f *parentFinder) open(ctx context.Context, location string) (*Parent, error) {
	p, err := parent.Open(ctx, location, f.w.opener)
	if err != nil {
		return nil, fmt.Errorf("%q cannot be read: %w; %s", location, err, remedy(err, "fetch it again, or name another patch as parent"))
	}
	defer p.Close()
	d := p.Description
	if d.SiteName != f.site.Name {
		return nil, fmt.Errorf("%q is a patch of site %q; name a patch of this site, or \"none\" for an initial patch", location, d.SiteName)
	}
	if f.w.trust != nil {
		if err := f.w.trust(p); err != nil {
			return nil, fmt.Errorf("%q is not trusted: %w; name a patch or a receipt that is signed as the trust policy demands", location, err)
		}
	}
	return &Parent{Site: f.site.Name, File: p.Location, Description: d, Digest: p.Digest, WithoutLayers: p.Patch == nil}, nil
}
