package facts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/flotobuild/flotobuild/planner"
)

// maxText is the size in bytes up to which BuildKit reads Dockerfiles and
// ignore files.
const maxText = 16 << 20

// ignored returns the patterns of the first ignore file that exists, or nil.
func (w *Workspace) ignored(files []string) (*patternmatcher.PatternMatcher, error) {
	for _, name := range files {
		data, err := w.text(name)
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
	path := w.path(name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", name, bare(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("cannot read %q: it is no regular file", name)
	}
	f, err := os.Open(path)
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
