package lang

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// withoutGit is conf/ of a patch without what is not of the project.
type withoutGit struct{ fs.FS }

func isGitEntry(name string) bool { return name == ".GIT_DESCRIBE" || name == ".GIT_TIMESTAMP" }

// Open implements fs.FS.
func (c withoutGit) Open(name string) (fs.File, error) {
	if isGitEntry(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f, err := c.FS.Open(name)
	if name != "." || err != nil {
		return f, err
	}
	return listedFolder{f, func(e fs.DirEntry) bool { return !isGitEntry(e.Name()) }}, nil
}

// A confFS is a project folder as it arrives in conf/: with some of its files
// only.
type confFS struct {
	fs.FS
	listed map[string]bool // files, and the folders that they stand in
}

func newConfFS(fsys fs.FS, files []string) confFS {
	c := confFS{fsys, map[string]bool{".": true}}
	for _, name := range files {
		for ; !c.listed[name]; name = path.Dir(name) {
			c.listed[name] = true
		}
	}
	return c
}

// errLeftOut tells files that do not travel from those that there are not.
var errLeftOut = errors.New("it does not travel in conf: git ignores it, or the conf block of the root definition leaves it out")

// Open implements fs.FS.
func (c confFS) Open(name string) (fs.File, error) {
	if !c.has(name) {
		_, err := fs.Stat(c.FS, name)
		if err == nil {
			err = errLeftOut
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err != nil || !st.IsDir() {
		return f, err
	}
	dir := c.target(name)
	return listedFolder{f, func(e fs.DirEntry) bool { return c.listed[path.Join(dir, e.Name())] }}, nil
}

func (c confFS) has(name string) bool { return c.listed[name] || c.listed[c.target(name)] }

// maxLinks bounds the links on one way, which may be a ring.
const maxLinks = 40

// target follows the links on the way to a file. What leads elsewhere comes out
// as it went in.
func (c confFS) target(name string) string {
	parts := strings.Split(name, "/")
	done := "."
	for links := 0; len(parts) > 0; {
		next := path.Join(done, parts[0])
		parts = parts[1:]
		to, err := fs.ReadLink(c.FS, next)
		if err != nil {
			done = next
			continue
		}
		if links++; links > maxLinks || !c.listed[next] || path.IsAbs(to) {
			return name
		}
		to = path.Join(path.Dir(next), to)
		if leavesProject(to) {
			return name
		}
		parts = slices.Concat(strings.Split(to, "/"), parts)
		done = "."
	}
	return done
}

// A listedFolder is an open folder of which some entries are seen.
type listedFolder struct {
	fs.File
	seen func(fs.DirEntry) bool
}

// ReadDir implements fs.ReadDirFile.
func (d listedFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	f, ok := d.File.(fs.ReadDirFile)
	if !ok {
		return nil, errors.New("the folder cannot be listed")
	}
	entries, err := f.ReadDir(n)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !d.seen(e) }), err
}
