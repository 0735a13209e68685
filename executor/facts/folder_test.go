package facts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/patternmatcher/ignorefile"
	"github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"

	"github.com/flotobuild/flotobuild/planner"
)

func folder(t testing.TB, w *Workspace) map[string]digest.Digest {
	t.Helper()
	d, err := w.Folder(context.Background(), planner.FolderQuery{Dir: ".", IgnoreFiles: []string{"Dockerfile.dockerignore", ".dockerignore"}})
	check(t, err)
	return d
}

// kept lists the files that a walk sees, without folders.
func kept(t *testing.T, w *Workspace) string {
	t.Helper()
	m, err := w.ignored(".", []string{"Dockerfile.dockerignore", ".dockerignore"})
	check(t, err)
	c := &contextWalk{ctx: context.Background(), root: w.dir, matcher: m}
	check(t, c.dir(".", noMatch))
	var out []string
	for _, e := range c.entries {
		if e.kind != 'd' && e.path != ".dockerignore" && e.path != "Dockerfile.dockerignore" {
			out = append(out, e.path)
		}
	}
	return strings.Join(out, " ")
}

func TestDockerignore(t *testing.T) {
	files := map[string]string{"Dockerfile": "", "a.go": "", "a.md": "", "README.md": "", "src/b.go": "", "src/b.md": "", "src/deep/c.go": "", "tmp/x": "", ".hidden": ""}
	for _, c := range []struct{ name, patterns, kept string }{
		{"none", "", ".hidden Dockerfile README.md a.go a.md src/b.go src/b.md src/deep/c.go tmp/x"},
		{"comment and blank lines", "# a.go\n\n", ".hidden Dockerfile README.md a.go a.md src/b.go src/b.md src/deep/c.go tmp/x"},
		{"folder", "src", ".hidden Dockerfile README.md a.go a.md tmp/x"},
		{"folder with slashes", "/src/", ".hidden Dockerfile README.md a.go a.md tmp/x"},
		{"star at the top only", "*.md", ".hidden Dockerfile a.go src/b.go src/b.md src/deep/c.go tmp/x"},
		{"star everywhere", "**/*.md", ".hidden Dockerfile a.go src/b.go src/deep/c.go tmp/x"},
		{"negation", "*.md\n!README.md", ".hidden Dockerfile README.md a.go src/b.go src/b.md src/deep/c.go tmp/x"},
		{"order counts", "!README.md\n*.md", ".hidden Dockerfile a.go src/b.go src/b.md src/deep/c.go tmp/x"},
		{"all but one", "*\n!src/deep/c.go", "src/deep/c.go"},
		{"all but a folder", "*\n!src", "src/b.go src/b.md src/deep/c.go"},
		{"negation below a folder", "src\n!src/*.md", ".hidden Dockerfile README.md a.go a.md src/b.md tmp/x"},
		{"wildcard negation", "*\n!**/*.go", "a.go src/b.go src/deep/c.go"},
		{"question mark", "?.go", ".hidden Dockerfile README.md a.md src/b.go src/b.md src/deep/c.go tmp/x"},
		{"Dockerfile itself", "Dockerfile", ".hidden README.md a.go a.md src/b.go src/b.md src/deep/c.go tmp/x"},
		{"hidden", ".*", "Dockerfile README.md a.go a.md src/b.go src/b.md src/deep/c.go tmp/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := workspace(t, files)
			tree(t, w.dir, map[string]string{".dockerignore": c.patterns})
			if got := kept(t, w); got != c.kept {
				t.Errorf("kept %s\nwant %s", got, c.kept)
			}
			if got := sentByBuildKit(t, w.dir, c.patterns); got != c.kept {
				t.Errorf("BuildKit sends %s\nwant %s", got, c.kept)
			}
		})
	}
}

// sentByBuildKit lists what BuildKit's file sync sees.
func sentByBuildKit(t *testing.T, dir, ignore string) string {
	t.Helper()
	patterns, err := ignorefile.ReadAll(strings.NewReader(ignore))
	check(t, err)
	all, err := fsutil.NewFS(dir)
	check(t, err)
	some, err := fsutil.NewFilterFS(all, &fsutil.FilterOpt{ExcludePatterns: patterns})
	check(t, err)
	var out []string
	check(t, some.Walk(context.Background(), "/", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && path != ".dockerignore" {
			out = append(out, path)
		}
		return err
	}))
	return strings.Join(out, " ")
}

func TestDockerfilesOwnIgnoreFileGoesFirst(t *testing.T) {
	w := workspace(t, map[string]string{"a": "", "b": "", ".dockerignore": "a", "Dockerfile.dockerignore": "b"})
	if got := kept(t, w); got != "a" {
		t.Errorf("kept %s", got)
	}
}

func TestInvalidDockerignore(t *testing.T) {
	w := workspace(t, map[string]string{".dockerignore": "[a"})
	_, err := w.Folder(context.Background(), planner.FolderQuery{Dir: ".", IgnoreFiles: []string{".dockerignore"}})
	var s *planner.SourceError
	if !errors.As(err, &s) || s.File != ".dockerignore" {
		t.Errorf("got %v", err)
	}
}

// What a build could see changes the digest of its entry, all else does not.
func TestFolderDigests(t *testing.T) {
	files := map[string]string{"app/main.go": "1", "app/run": "#!x", "app/link": "->main.go", "app/empty/": "", "top": "t"}
	for _, c := range []struct {
		name string
		edit func(dir string) error
		want string
	}{
		{"nothing", func(string) error { return nil }, ""},
		{"bytes", func(d string) error { return os.WriteFile(d+"/app/main.go", []byte("2"), 0o644) }, "app"},
		{"file at the top", func(d string) error { return os.WriteFile(d+"/top", []byte("2"), 0o644) }, "top"},
		{"mode", func(d string) error { return os.Chmod(d+"/app/main.go", 0o600) }, "app"},
		{"setuid", func(d string) error { return os.Chmod(d+"/app/run", 0o755|os.ModeSetuid) }, "app"},
		{"mode of a folder", func(d string) error { return os.Chmod(d+"/app/empty", 0o700) }, "app"},
		{"renamed", func(d string) error { return os.Rename(d+"/app/main.go", d+"/app/maim.go") }, "app"},
		{"link target", func(d string) error { _ = os.Remove(d + "/app/link"); return os.Symlink("run", d+"/app/link") }, "app"},
		{"empty folder removed", func(d string) error { return os.Remove(d + "/app/empty") }, "app"},
		{"entry added", func(d string) error { return os.Mkdir(d+"/new", 0o755) }, "new"},
		{"entry removed", func(d string) error { return os.Remove(d + "/top") }, "top"},
		{"times", func(d string) error { return os.Chtimes(d+"/top", racyTime, racyTime) }, ""},
		{"pipe", func(d string) error { return syscall.Mkfifo(d+"/app/pipe", 0o644) }, "app"},
		{"socket", func(d string) error { return listen(d + "/app/socket") }, "app"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := workspace(t, files)
			before := folder(t, w)
			check(t, c.edit(w.dir))
			after := folder(t, w)
			var moved []string
			for _, name := range slices.Sorted(maps.Keys(union(before, after))) {
				if before[name] != after[name] {
					moved = append(moved, name)
				}
			}
			if got := strings.Join(moved, " "); got != c.want {
				t.Errorf("moved %q", got)
			}
		})
	}
}

// listen leaves a socket behind.
func listen(name string) error {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	return l.Close()
}

// What is neither file, folder nor link is seen as BuildKit sends it.
func TestSpecialEntries(t *testing.T) {
	w := workspace(t, map[string]string{"empty": ""})
	check(t, syscall.Mkfifo(filepath.Join(w.dir, "pipe"), 0o640))
	check(t, os.Chmod(filepath.Join(w.dir, "pipe"), 0o640))
	check(t, listen(filepath.Join(w.dir, "socket")))
	check(t, os.Chmod(filepath.Join(w.dir, "socket"), 0o644))
	c := &contextWalk{ctx: context.Background(), root: w.dir}
	check(t, c.dir(".", noMatch))
	var got []string
	for _, e := range c.entries {
		got = append(got, fmt.Sprintf("%c %o %s %s", e.kind, e.mode, e.path, e.target))
	}
	want := []string{"f 644 empty ", "p 640 pipe ", "f 644 socket " + digest.FromBytes(nil).String()}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got, want := sentByBuildKit(t, w.dir, ""), "empty pipe socket"; got != want {
		t.Errorf("BuildKit sends %s", got)
	}
	null, err := os.Stat(os.DevNull)
	check(t, err)
	var e entry
	if e.special(null); e.kind != 'c' || e.target != device(null) || e.target == "" {
		t.Errorf("device: %+v", e)
	}
}

func union(a, b map[string]digest.Digest) map[string]digest.Digest {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// BuildKit reads the Dockerfile and the ignore file within the context.
func TestLinksOutOfContext(t *testing.T) {
	w := workspace(t, map[string]string{
		"other/Dockerfile": "FROM scratch\n", "other/ignore": "x",
		"app/prod/Dockerfile": "FROM scratch\n", "app/Dockerfile": "->prod/Dockerfile", "app/out": "->../other/Dockerfile",
		"app/gone": "->prod/none", "app/dir": "->../other", "app/ignore": "->../other/ignore",
	})
	check(t, os.Symlink(filepath.Join(w.dir, "app/prod/Dockerfile"), filepath.Join(w.dir, "app/absolute")))
	check(t, os.Symlink("app", filepath.Join(w.dir, "linked")))
	for _, c := range []struct{ dir, file, want string }{
		{"app", "Dockerfile", ""},
		{"linked", "Dockerfile", ""},
		{"app", "out", "leaves the build context"},
		{"app", "absolute", "leaves the build context"},
		{"app", "dir/Dockerfile", "leaves the build context"},
		{"app", "gone", "no such file"},
		{"app", "prod", "no regular file"},
	} {
		_, err := w.Dockerfile(context.Background(), planner.DockerfileQuery{Dir: c.dir, File: c.dir + "/" + c.file})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s/%s: %v", c.dir, c.file, err)
		}
	}
	_, err := w.Folder(context.Background(), planner.FolderQuery{Dir: "app", IgnoreFiles: []string{"app/none", "app/ignore"}})
	if !errors.Is(err, errLeaves) {
		t.Errorf("ignore file: %v", err)
	}
}

func TestFolderRefuses(t *testing.T) {
	w := workspace(t, map[string]string{"f": ""})
	q := func(dir string) error {
		_, err := w.Folder(context.Background(), planner.FolderQuery{Dir: dir})
		return err
	}
	if err := q("missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if err := q("f"); err == nil || !strings.Contains(err.Error(), "no folder") {
		t.Errorf("file: %v", err)
	}
	check(t, os.WriteFile(filepath.Join(w.dir, "bad\xff"), nil, 0o644))
	if err := q("."); err == nil || !strings.Contains(err.Error(), `"bad\xff"`) {
		t.Errorf("name: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Folder(ctx, planner.FolderQuery{Dir: "."}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestFileRefusesPipes(t *testing.T) {
	w := workspace(t, nil)
	check(t, syscall.Mkfifo(filepath.Join(w.dir, "pipe"), 0o644))
	if _, _, err := w.File(context.Background(), "pipe"); err == nil {
		t.Error("a pipe is accepted")
	}
}
