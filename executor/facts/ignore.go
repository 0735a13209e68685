package facts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/planner"
)

// maxText is the size in bytes up to which BuildKit reads Dockerfiles and
// ignore files.
const maxText = 16 << 20

// ignored returns the patterns of the first of a context's ignore files that
// exists, or nil.
func (w *Workspace) ignored(dir string, files []string) (*patternmatcher.PatternMatcher, error) {
	for _, name := range files {
		data, err := w.contextText(dir, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		patterns, err := ignorefile.ReadAll(bytes.NewReader(data))
		if err != nil {
			return nil, &planner.SourceError{File: name, Err: err}
		}
		if len(patterns) == 0 {
			return nil, nil
		}
		m, err := patternmatcher.New(patterns)
		if err != nil {
			return nil, &planner.SourceError{File: name, Err: err}
		}
		return m, nil
	}
	return nil, nil
}

// text reads a small file.
func (w *Workspace) text(name string) ([]byte, error) {
	f, _, err := regular.Open(w.path(name))
	return readText(name, f, err)
}

// contextText reads a small file of a context as BuildKit does: links may lead
// to other files of the context only.
func (w *Workspace) contextText(dir, name string) ([]byte, error) {
	f, err := openBelow(w.path(dir), w.path(name))
	return readText(name, f, err)
}

// readText reads what was opened, unless that failed.
func readText(name string, f *os.File, err error) ([]byte, error) {
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", name, bare(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", name, bare(err))
	}
	if len(data) > maxText {
		return nil, fmt.Errorf("cannot read %q: it has more than %d bytes", name, maxText)
	}
	return data, nil
}

// errLeaves is the error for a link that BuildKit cannot follow.
var errLeaves = errors.New("it is, or stands behind, a symbolic link that is absolute or leaves the build context, " +
	"and builds see nothing but their context; copy the file into the context, or make the link relative")

// openBelow opens a regular file that stands below dir.
func openBelow(dir, path string) (*os.File, error) {
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, _, err := regular.OpenIn(root, name)
	if err == nil || errors.Is(err, regular.ErrNot) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return f, err
	}
	// What is there, and not in its own place, is behind a link.
	top, err1 := filepath.EvalSymlinks(dir)
	end, err2 := filepath.EvalSymlinks(path)
	if err1 == nil && err2 == nil && end != filepath.Join(top, name) {
		return nil, errLeaves
	}
	return nil, err
}
