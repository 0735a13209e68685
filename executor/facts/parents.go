package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// Values of lang.Patch.Parent that are neither ids nor files.
const (
	parentLatest = "latest"
	parentNone   = "none"
)

// A Parent is the patch that the next one of a site is compared with.
type Parent struct {
	Site        string
	File        string // path of the patch file
	Description *patch.Description
	Digest      digest.Digest // of the exact bytes of its description
}

// Ref names the patch as a parent.
func (p Parent) Ref() patch.ParentRef {
	return patch.ParentRef{ID: p.Description.ID, DescriptionDigest: p.Digest}
}

// Parents finds the parents that the configuration names, in the order of its
// sites. Sites with parent "none", and those with "latest" that have no patch
// yet, have no entry. Errors are of type planner.ParentErrors.
//
// The structure of each file is checked, and an unreadable file that could be
// the newest is an error: falling back to an older one would make a patch that
// the site cannot use.
func (w *Workspace) Parents(cfg *lang.Config) ([]Parent, error) {
	var out []Parent
	var problems planner.ParentErrors
	lists := make(map[string][]patch.File)
	for _, s := range cfg.Sites {
		p, err := w.parent(s, otherSites(cfg, s), lists)
		if err != nil {
			problems = append(problems, &planner.ParentError{Site: s.Name, Err: err})
		} else if p != nil {
			out = append(out, *p)
		}
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

func (w *Workspace) parent(s *lang.Site, others []string, lists map[string][]patch.File) (*Parent, error) {
	want := s.Patch.Parent
	switch {
	case want == parentNone:
		return nil, nil
	case strings.Contains(want, "/") || strings.HasSuffix(want, patch.Extension):
		return w.parentFile(s.Name, w.path(want))
	}
	dir := w.path(s.Patch.Output.Name)
	files, ok := lists[dir]
	if !ok {
		var err error
		if files, err = patch.List(dir); err != nil {
			return nil, err
		}
		lists[dir] = files
	}
	if want == parentLatest || want == "" {
		return w.latest(s.Name, others, files)
	}
	return w.parentID(s, files)
}

// latest returns the newest patch of the site, or nil where there is none.
func (w *Workspace) latest(site string, others []string, files []patch.File) (*Parent, error) {
	best := patch.Latest(files, site)
	for _, f := range files {
		if f.Err != nil && mayBeNewer(f.Path, site, others, best) {
			return nil, fmt.Errorf("%q cannot be read and may be the newest patch: %w; "+
				"remove the file, or name another patch as parent", f.Path, f.Err)
		}
	}
	if best == nil {
		return nil, nil
	}
	return w.parentFile(site, best.Path)
}

// mayBeNewer judges an unreadable file by its name, which begins with the date
// and ends with the site where nobody has renamed it.
func mayBeNewer(file, site string, others []string, best *patch.File) bool {
	id := strings.TrimSuffix(filepath.Base(file), patch.Extension)
	suffix := func(site string) string {
		before := patch.NewID(time.Time{}, "", "")
		return strings.TrimPrefix(patch.NewID(time.Time{}, "", site), strings.TrimSuffix(before, "."))
	}
	if !strings.HasSuffix(id, suffix(site)) {
		return !slices.ContainsFunc(others, func(o string) bool { return strings.HasSuffix(id, suffix(o)) })
	}
	return best == nil || id > best.Header.Description.ID
}

func (w *Workspace) parentID(s *lang.Site, files []patch.File) (*Parent, error) {
	var known []string
	for _, f := range files {
		if f.Header == nil {
			continue
		}
		d := f.Header.Description
		if d.ID == s.Patch.Parent {
			return w.parentFile(s.Name, f.Path)
		}
		if d.SiteName == s.Name {
			known = append(known, d.ID)
		}
	}
	return nil, fmt.Errorf("the folder %q has no patch with the id %q; %s", s.Patch.Output.Name, s.Patch.Parent, offer(known))
}

func offer(ids []string) string {
	const most = 3
	if len(ids) == 0 {
		return "it has none of this site, so write \"none\" for an initial patch"
	}
	return "its newest of this site: " + strings.Join(ids[:min(len(ids), most)], ", ")
}

// parentFile opens a patch file and checks that it is one of the site.
func (w *Workspace) parentFile(site, file string) (*Parent, error) {
	r, err := patch.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %q; correct the path, it is relative to the project folder", file)
	}
	if err != nil {
		return nil, fmt.Errorf("%q cannot be read: %w; fetch the file again, or name another patch as parent", file, err)
	}
	defer r.Close()
	d := r.Description
	if d.SiteName != site {
		return nil, fmt.Errorf("%q is a patch of site %q; name a patch of this site, or \"none\" for an initial patch", file, d.SiteName)
	}
	return &Parent{Site: site, File: file, Description: d, Digest: r.Digest}, nil
}
