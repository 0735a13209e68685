package facts

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/containerd/platforms"

	"github.com/flotobuild/flotobuild/executor/parent"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// Options say where to gather.
type Options struct {
	Dir string // the project folder
	// DataDir is where the digest cache is kept; empty means planner.DataDir in
	// the project folder.
	DataDir string
	// Platform is the platform of images that name none; empty means Linux on
	// this machine's architecture.
	Platform string
	// Opener opens the patches of the parents.
	Opener patch.Opener
	// Trust refuses parents whose signatures are not as they should be; nil
	// takes all.
	Trust func(*parent.Parent) error
}

// A Workspace is the project folder on this machine. Its methods are safe for
// concurrent use.
type Workspace struct {
	dir      string // absolute, links resolved
	platform string
	opener   patch.Opener
	trust    func(*parent.Parent) error
	cache    *cache
	listing  func() (listing, error) // git's view of the folder, read once
	down     sync.Map                // errors of registries that cannot be reached, by name
}

var _ planner.Facts = (*Workspace)(nil)

// Open opens a project folder. Close keeps what was learnt for the next time.
func Open(o Options) (*Workspace, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open project folder: %w", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("cannot open project folder: %w", err)
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("cannot open project folder: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("cannot open project folder: %q is no folder", dir)
	}
	w := &Workspace{dir: dir, platform: o.Platform, opener: o.Opener, trust: o.Trust}
	if w.platform == "" {
		w.platform = "linux/" + runtime.GOARCH
		if p := platforms.DefaultSpec(); p.OS == "linux" {
			w.platform = platforms.FormatAll(platforms.Normalize(p))
		}
	}
	data := o.DataDir
	if data == "" {
		data = filepath.Join(dir, planner.DataDir)
	}
	w.cache = loadCache(filepath.Join(data, "cache"))
	w.listing = sync.OnceValues(w.list)
	return w, nil
}

// Close writes the digest cache where something new was learnt. A failure is
// no reason to fail a plan: the next one only takes longer.
func (w *Workspace) Close() error { return w.cache.save() }

// Platform implements planner.Facts.
func (w *Workspace) Platform() string { return w.platform }

// path returns the place of a configured name.
func (w *Workspace) path(name string) string {
	p := filepath.FromSlash(name)
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(w.dir, p)
}
