package facts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/agext/levenshtein"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/crypt"
)

// latest returns the newest patch of the site, or nil where there is none.
func (f *parentFinder) latest(files []patch.File) (*patch.File, error) {
	best := patch.Latest(files, f.site.Name)
	for _, o := range files {
		if o.Err != nil && f.mayBeNewer(o.Path, best) {
			return nil, unreadable(o, "may be the newest patch")
		}
	}
	return best, nil
}

func unreadable(f patch.File, role string) error {
	return fmt.Errorf("%q cannot be read and %s: %w; %s", f.Path, role, f.Err, remedy(f.Err, "remove the file, or name another patch as parent"))
}

// remedy says how to mend a patch that cannot be read: otherwise, unless only
// its key is missing.
func remedy(err error, otherwise string) string {
	if errors.As(err, new(*crypt.IdentityError)) || errors.Is(err, crypt.ErrPassphrase) {
		return "give its key with -identity or its passphrase in FLOTOBUILD_PASSPHRASE, or name as parent the patch's description (patch-description.json) or the site's receipt, which are not encrypted"
	}
	return otherwise
}

// mayBeNewer judges an unreadable file by its name, which begins with the date
// and ends with the site where nobody has renamed it. Without best every file
// that may be one of the site is newer.
func (f *parentFinder) mayBeNewer(file string, best *patch.File) bool {
	if !patch.NamedFor(file, f.site.Name) {
		return !slices.ContainsFunc(f.others, func(o string) bool { return patch.NamedFor(file, o) })
	}
	return best == nil || patch.TrimExtension(filepath.Base(file)) > best.Header.Description.ID
}

// satisfying returns the patch of the site with the highest version that
// satisfies the constraint, the newest where several have it.
func (f *parentFinder) satisfying(want lang.Parent, dir string, files []patch.File) (*patch.File, error) {
	var best *patch.File
	var versions []string
	for i, o := range files {
		if o.Err != nil && f.mayBeNewer(o.Path, nil) {
			return nil, unreadable(o, "may have the version")
		}
		if o.Header == nil || o.Header.Description.SiteName != f.site.Name {
			continue
		}
		v := o.Header.Description.Flotobuild.Version
		versions = append(versions, v)
		if want.Satisfied(v) && (best == nil || compareVersions(o, *best) > 0) {
			best = &files[i]
		}
	}
	if best == nil {
		return nil, fmt.Errorf("no patch in the folder %q has a version that satisfies %q; %s", dir, want.Text, offerVersions(versions))
	}
	return best, nil
}

func compareVersions(a, b patch.File) int {
	x, y := a.Header.Description, b.Header.Description
	v, errV := semver.StrictNewVersion(x.Flotobuild.Version)
	w, errW := semver.StrictNewVersion(y.Flotobuild.Version)
	if errV != nil || errW != nil {
		return patch.Older(x, y)
	}
	return cmp.Or(v.Compare(w), patch.Older(x, y))
}

func offerVersions(versions []string) string {
	slices.Sort(versions)
	return offer("its versions of this site", slices.Compact(versions))
}

func (f *parentFinder) byID(id, dir string, files []patch.File) (*patch.File, error) {
	var known []string
	for i, o := range files {
		if o.Header == nil {
			continue
		}
		d := o.Header.Description
		if d.ID == id || d.Ref("").ID == id {
			return &files[i], nil
		}
		if d.SiteName == f.site.Name {
			known = append(known, d.ID)
		}
	}
	if _, err := os.Stat(f.w.path(id)); err == nil {
		return nil, fmt.Errorf("the folder %q has no patch with the id %q; for the file or folder of that name write \"./%s\"", dir, id, id)
	}
	if near := nearest(id, known); near != "" {
		return nil, fmt.Errorf("the folder %q has no patch with the id %q; did you mean %q?", dir, id, near)
	}
	return nil, fmt.Errorf("the folder %q has no patch with the id %q; %s", dir, id, offer("its newest of this site", known))
}

func offer(what string, names []string) string {
	const most = 3
	if len(names) == 0 {
		return "it has none of this site, so write \"none\" for an initial patch"
	}
	return what + ": " + strings.Join(names[:min(len(names), most)], ", ")
}

// nearest returns the name that is most like the given one, if any is.
func nearest(given string, known []string) string {
	best, name := 1+len(given)/4, ""
	for _, k := range known {
		if d := levenshtein.Distance(given, k, nil); d < best {
			best, name = d, k
		}
	}
	return name
}

// path opens a file, or the newest patch of the site in a folder.
func (f *parentFinder) path(ctx context.Context, want lang.Parent) (*Parent, error) {
	name := want.Text
	file := f.w.path(name)
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %q; %s", name, f.mendPath(want))
	}
	if err != nil {
		return nil, fmt.Errorf("%q cannot be read: %w; name another patch as parent", name, err)
	}
	if !info.IsDir() {
		return f.open(ctx, file)
	}
	files, err := f.list(name)
	if err != nil {
		return nil, err
	}
	best, err := f.latest(files)
	if err != nil {
		return nil, err
	}
	if best == nil {
		return nil, fmt.Errorf("the folder %q has no patch of this site; correct the path, or write \"none\" for an initial patch", name)
	}
	return f.openListed(ctx, best, files)
}

// mendPath offers the file that is most like one that does not exist, and says
// what its path is relative to.
func (f *parentFinder) mendPath(want lang.Parent) string {
	dir := filepath.Dir(want.Text)
	relative := "the file that names them"
	if want.Range.Filename == lang.ParentFlag {
		relative = "the project folder"
	}
	entries, err := os.ReadDir(f.w.path(filepath.ToSlash(dir)))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Sprintf("there is no folder %q either. Correct the path; paths are relative to %s", dir, relative)
	}
	var known []string
	for _, e := range entries {
		known = append(known, e.Name())
	}
	if near := nearest(filepath.Base(want.Text), known); near != "" {
		return fmt.Sprintf("did you mean %q? Paths are relative to %s", filepath.Join(dir, near), relative)
	}
	return "correct the path; paths are relative to " + relative
}
