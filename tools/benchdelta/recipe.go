package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A pair is an image before and after an update.
type pair struct {
	Name  string // the row's letter and the folder
	Title string
	Old   []recipe // one a layer
	New   []recipe
}

// A recipe is one layer: when it was built, and what it holds.
type recipe struct {
	built time.Time
	parts []part
}

// A part adds something to a layer, and says what it was.
type part interface {
	add(ctx context.Context, w *workshop, l *layer) (string, error)
}

// A workshop is what parts are made with.
type workshop struct {
	cache   string
	archive *archive
}

// findArchive finds Debian's packages; pairs that are complete need none.
func (w *workshop) findArchive(ctx context.Context) error {
	if w.archive != nil {
		return nil
	}
	var err error
	w.archive, err = findArchive(ctx, filepath.Join(w.cache, "debian"))
	return err
}

// packages are Debian packages with all that they depend on.
type packages struct {
	Suites []string
	Names  []string
	// Beneath are packages that a layer below has, with all that these depend on.
	Beneath []string
}

func (p packages) add(ctx context.Context, w *workshop, l *layer) (string, error) {
	files, err := w.archive.closure(ctx, p.Suites, slices.Concat(p.Names, p.Beneath))
	if err != nil {
		return "", err
	}
	var beneath []string
	if len(p.Beneath) > 0 {
		beneath, err = w.archive.closure(ctx, p.Suites, p.Beneath)
		if err != nil {
			return "", err
		}
	} else if err := l.addMergedLinks(); err != nil {
		return "", err
	}
	fresh := slices.DeleteFunc(slices.Clone(files), func(f string) bool { return slices.Contains(beneath, f) })
	return "Debian " + strings.Join(p.Suites, ", ") + ": " + versions(fresh), addPackages(ctx, l, fresh, beneath)
}

// kernel is a kernel and its modules, alone.
type kernel struct {
	Suites  []string
	Pattern string
	Pinned  [2]string
	Newer   bool // which of the two
}

func (p kernel) add(ctx context.Context, w *workshop, l *layer) (string, error) {
	name, newer, err := w.archive.kernels(ctx, p.Suites, p.Pattern, p.Pinned)
	if err != nil {
		return "", err
	}
	if p.Newer {
		name = newer
	}
	out, err := w.archive.run(ctx, p.Suites, "apt-cache", "show", "--no-all-versions", name)
	if err != nil {
		return "", err
	}
	var version string
	for line := range strings.Lines(string(out)) {
		if v, ok := strings.CutPrefix(line, "Version: "); ok {
			version = strings.TrimSpace(v)
		}
	}
	files, err := w.archive.download(ctx, p.Suites, []string{name + "=" + version})
	if err != nil {
		return "", err
	}
	return "Debian " + strings.Join(p.Suites, ", ") + ": " + versions(files), addPackages(ctx, l, files, nil)
}

// versions lists packages with their versions.
func versions(files []string) string {
	var list []string
	for _, file := range files {
		name, version, _ := packageOf(filepath.Base(file))
		list = append(list, name+" "+version)
	}
	return strings.Join(list, ", ")
}

// goBinary is a static command of a Go module.
type goBinary struct {
	Command, Version string
	Stripped         bool
	As               string
}

func (p goBinary) add(ctx context.Context, w *workshop, l *layer) (string, error) {
	dir := filepath.Join(w.cache, "go")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	file, err := buildGo(ctx, dir, p)
	if err != nil {
		return "", err
	}
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Go: %s@%s", p.Command, p.Version), l.addFile(p.As, 0o755, l.built, info.Size(), f)
}

// nodeModules is a Node application's folder: its dependencies as the registry
// would have resolved them on a day.
type nodeModules struct {
	Name, Version, Before string
	Dependencies          map[string]string
	Under                 string
}

func (p nodeModules) add(ctx context.Context, w *workshop, l *layer) (string, error) {
	dir, err := installNode(ctx, filepath.Join(w.cache, "npm"), p)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Node: %s %s as of %s in /%s", p.Name, p.Version, p.Before, p.Under), addTree(l, dir, p.Under)
}
