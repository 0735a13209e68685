package facts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/volume"
	"github.com/flotobuild/flotobuild/planner"
)

// Conf implements planner.Facts. The lock file is always among the files: it is
// hidden, and may be newer than git's listing. As git archive does, Conf leaves out folders
// without files, submodules and nested repositories; sockets, pipes and devices
// are left out, too. Executable files have mode 0755, all others 0644. Patch
// and plan files are never part of conf, nor are .GIT_DESCRIBE and .GIT_TIMESTAMP of the
// project folder, which flotobuild writes itself.
func (w *Workspace) Conf(ctx context.Context, q planner.ConfQuery) ([]planner.File, error) {
	for _, p := range slices.Concat(q.Include, q.Exclude) {
		if !doublestar.ValidatePattern(p) {
			return nil, fmt.Errorf("cannot select files: the pattern %q is invalid", p)
		}
	}
	names, err := w.confNames()
	if err != nil {
		return nil, err
	}
	q.Omit = w.followed(q.Omit)
	var out []planner.File
	var files []*hashed
	var places []int
	for _, name := range names {
		if !selected(name, q) {
			continue
		}
		f, h, err := w.confFile(name)
		if err != nil {
			return nil, err
		}
		if f == nil {
			continue
		}
		if h != nil {
			files, places = append(files, h), append(places, len(out))
		}
		out = append(out, *f)
	}
	if err := w.hash(ctx, files); err != nil {
		return nil, err
	}
	for n, h := range files {
		out[places[n]].Digest, out[places[n]].Size = h.digest, h.size
	}
	return out, nil
}

// confNames lists the files that may travel, sorted, each once: git lists one
// several times while a merge has conflicts.
func (w *Workspace) confNames() ([]string, error) {
	l, err := w.listing()
	if err != nil {
		return nil, err
	}
	if !l.git {
		if l.names, err = w.walkConf(); err != nil {
			return nil, err
		}
	}
	names := append(slices.Clone(l.names), lang.LockFile)
	slices.Sort(names)
	return slices.Compact(names), nil
}

// walkConf lists the files of a project without git: all but hidden ones.
func (w *Workspace) walkConf() ([]string, error) {
	var names []string
	err := fs.WalkDir(os.DirFS(w.dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("cannot list project folder: %w", err)
		}
		hidden := name != "." && strings.HasPrefix(path.Base(name), ".")
		switch {
		case hidden && e.IsDir():
			return fs.SkipDir
		case !hidden && !e.IsDir():
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// written are the entries of conf/ that flotobuild makes itself. Old tools left
// such files in projects.
var written = []string{patch.GitDescribe, patch.GitTimestamp}

// selected applies the patterns and the omissions.
func selected(name string, q planner.ConfQuery) bool {
	if patch.HasExtension(volume.TrimName(name)) || strings.HasSuffix(name, planner.PlanExtension) || strings.HasSuffix(name, planner.PageExtension) ||
		strings.HasPrefix(path.Base(name), atomicfile.Prefix) || slices.Contains(strings.Split(name, "/"), ".git") {
		return false
	}
	if slices.Contains(written, patch.ConfDir+name) {
		return false
	}
	for _, o := range q.Omit {
		if name == o || strings.HasPrefix(name, o+"/") {
			return false
		}
	}
	matches := func(pattern string) bool { return doublestar.MatchUnvalidated(pattern, name) }
	return slices.ContainsFunc(q.Include, matches) && !slices.ContainsFunc(q.Exclude, matches)
}

// followed adds what omitted names stand for: who names a key by a symbolic link
// means the file behind it, and one by an absolute path has it in the project all
// the same. Names outside of the project are left out.
func (w *Workspace) followed(omit []string) []string {
	var out []string
	add := func(file string) {
		if rel, err := filepath.Rel(w.dir, file); err == nil && rel != "." && filepath.IsLocal(rel) {
			out = append(out, filepath.ToSlash(rel))
		}
	}
	for _, name := range omit {
		file := w.path(name)
		add(file)
		if end, err := filepath.EvalSymlinks(file); err == nil {
			add(end)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// confFile describes a file; where it is regular its digest is still to be
// computed. It returns nil for what does not travel.
func (w *Workspace) confFile(name string) (*planner.File, *hashed, error) {
	full := w.path(name)
	info, err := os.Lstat(full)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil // deleted, and the deletion not yet committed
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot take file %q into conf: %w", name, bare(err))
	}
	if mode := info.Mode(); !mode.IsRegular() && mode&fs.ModeSymlink == 0 {
		return nil, nil, nil
	}
	if err := patch.CheckPath(patch.ConfDir + name); err != nil {
		return nil, nil, fmt.Errorf("cannot take file %q into conf: %w; rename it or exclude it from conf", name, err)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		f, err := w.confLink(name)
		return f, nil, err
	}
	f := &planner.File{Path: name, Mode: uint32(patch.ModeFile)}
	if info.Mode()&0o100 != 0 {
		f.Mode = uint32(patch.ModeExecutable)
	}
	return f, &hashed{path: full, info: info}, nil
}

// confLink describes a symbolic link, which must not lead out of the project:
// neither by its text nor where other links on its way lead.
func (w *Workspace) confLink(name string) (*planner.File, error) {
	target, err := os.Readlink(w.path(name))
	if err != nil {
		return nil, fmt.Errorf("cannot take link %q into conf: %w", name, bare(err))
	}
	target = filepath.ToSlash(target)
	if err := patch.CheckLink(patch.ConfDir+name, target); err != nil {
		return nil, fmt.Errorf("cannot take link into conf: %w; copy the target, or exclude the link from conf", err)
	}
	if !w.leadsInside(name) {
		return nil, fmt.Errorf("cannot take link %q into conf: its target %q is outside of the project folder; copy the target, or exclude the link from conf", name, target)
	}
	return &planner.File{
		Path:   name,
		Mode:   planner.ModeSymlink,
		Size:   int64(len(target)),
		Digest: digest.FromString(target),
	}, nil
}

// leadsInside follows a link, and those behind it, as far as files exist.
func (w *Workspace) leadsInside(name string) bool {
	end, err := filepath.EvalSymlinks(w.path(name))
	if err != nil {
		return true // dangling: its text has been checked
	}
	rel, err := filepath.Rel(w.dir, end)
	return err == nil && filepath.IsLocal(rel)
}
