package facts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/moby/patternmatcher"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/planner"
)

// Folder implements planner.Facts.
func (w *Workspace) Folder(ctx context.Context, q planner.FolderQuery) (map[string]digest.Digest, error) {
	info, err := os.Stat(w.path(q.Dir))
	if err != nil {
		return nil, fmt.Errorf("cannot read folder %q: %w", q.Dir, bare(err))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("cannot read folder %q: it is no folder", q.Dir)
	}
	matcher, err := w.ignored(q.Dir, q.IgnoreFiles)
	if err != nil {
		return nil, err
	}
	c := &contextWalk{ctx: ctx, root: w.path(q.Dir), matcher: matcher}
	if err := c.dir(".", patternmatcher.MatchInfo{}); err != nil {
		return nil, fmt.Errorf("cannot read folder %q: %w", q.Dir, err)
	}
	var files []*hashed
	for _, e := range c.entries {
		if e.file != nil {
			files = append(files, e.file)
		}
	}
	if err := w.hash(ctx, files); err != nil {
		return nil, err
	}
	return digests(c.entries), nil
}

// entry is a file, folder or link of a context.
type entry struct {
	path   string // slash-separated, relative to the context
	kind   byte   // as find -type has it: d, f, l, p, c or b
	mode   uint32 // 07777
	target string // of a link; the number of a device
	file   *hashed
}

// digests sums up the entries below each top-level name. They stand in the
// order of the walk: folders before their entries, names sorted in each.
func digests(entries []entry) map[string]digest.Digest {
	sums := make(map[string]hash.Hash)
	for _, e := range entries {
		top, _, _ := strings.Cut(e.path, "/")
		if sums[top] == nil {
			sums[top] = sha256.New()
		}
		content := e.target
		if e.file != nil {
			content = e.file.digest.String()
		}
		fmt.Fprintf(sums[top], "%c %04o %s\x00%s\x00", e.kind, e.mode, e.path, content)
	}
	out := make(map[string]digest.Digest, len(sums))
	for top, h := range sums {
		out[top] = digest.NewDigest(digest.SHA256, h)
	}
	return out
}

// contextWalk lists a context as BuildKit's file sync does.
type contextWalk struct {
	ctx     context.Context
	root    string
	matcher *patternmatcher.PatternMatcher // nil: nothing is ignored
	entries []entry
}

// dir adds what is below a folder.
func (c *contextWalk) dir(dir string, parent patternmatcher.MatchInfo) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	list, err := os.ReadDir(filepath.Join(c.root, filepath.FromSlash(dir)))
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := c.add(path.Join(dir, e.Name()), e, parent); err != nil {
			return err
		}
	}
	return nil
}

func (c *contextWalk) add(name string, e fs.DirEntry, parent patternmatcher.MatchInfo) error {
	ignored, match, err := c.match(name, parent)
	if err != nil {
		return err
	}
	if ignored && (!e.IsDir() || !c.matcher.Exclusions()) {
		return nil
	}
	if !ignored && !utf8.ValidString(name) {
		return fmt.Errorf("the file name %q is not UTF-8; rename the file or add it to .dockerignore", name)
	}
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed since the folder was listed
	}
	if err != nil {
		return err
	}
	return c.addInfo(name, info, ignored, match)
}

func (c *contextWalk) addInfo(name string, info fs.FileInfo, ignored bool, match patternmatcher.MatchInfo) error {
	full := filepath.Join(c.root, filepath.FromSlash(name))
	e := entry{path: name, mode: permissions(info.Mode())}
	switch mode := info.Mode(); {
	case mode.IsDir():
		e.kind = 'd'
		return c.addDir(e, ignored, match)
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(full)
		if err != nil {
			return err
		}
		e.kind, e.target = 'l', target
	case mode.IsRegular():
		e.kind, e.file = 'f', &hashed{path: full, info: info}
	default:
		e.special(info)
	}
	c.entries = append(c.entries, e)
	return nil
}

// special describes what is no file, folder or link. BuildKit sends pipes and
// devices as such, and a socket as a file without bytes.
func (e *entry) special(info fs.FileInfo) {
	switch mode := info.Mode(); {
	case mode&fs.ModeNamedPipe != 0:
		e.kind = 'p'
	case mode&fs.ModeCharDevice != 0:
		e.kind, e.target = 'c', device(info)
	case mode&fs.ModeDevice != 0:
		e.kind, e.target = 'b', device(info)
	default:
		e.kind, e.target = 'f', digest.FromBytes(nil).String()
	}
}

// device returns the number of a device.
func device(info fs.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprint(st.Rdev)
	}
	return ""
}

// addDir adds a folder and its entries. An ignored folder is there only as the
// parent of what an exception keeps.
func (c *contextWalk) addDir(e entry, ignored bool, match patternmatcher.MatchInfo) error {
	at := len(c.entries)
	c.entries = append(c.entries, e)
	err := c.dir(e.path, match)
	if ignored && errors.Is(err, fs.ErrPermission) {
		err = nil
	}
	if ignored && len(c.entries) == at+1 {
		c.entries = c.entries[:at]
	}
	return err
}

func (c *contextWalk) match(name string, parent patternmatcher.MatchInfo) (bool, patternmatcher.MatchInfo, error) {
	if c.matcher == nil {
		return false, patternmatcher.MatchInfo{}, nil
	}
	return c.matcher.MatchesUsingParentResults(filepath.FromSlash(name), parent)
}

// permissions returns the twelve mode bits as Unix has them.
func permissions(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for mode, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&mode != 0 {
			bits |= bit
		}
	}
	return bits
}
