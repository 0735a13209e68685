package facts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/flotobuild/flotobuild/planner"
)

// conf lists files as PATH for 0644, PATH* for 0755 and PATH@ for links.
func conf(t *testing.T, w *Workspace, q planner.ConfQuery) string {
	t.Helper()
	if q.Include == nil {
		q.Include = []string{"**"}
	}
	files, err := w.Conf(context.Background(), q)
	check(t, err)
	var out []string
	for _, f := range files {
		mark, ok := map[uint32]string{0o644: "", 0o755: "*", planner.ModeSymlink: "@"}[f.Mode]
		if !ok || f.Digest.Validate() != nil {
			t.Errorf("file %+v", f)
		}
		out = append(out, f.Path+mark)
	}
	return strings.Join(out, " ")
}

func TestConfOfGit(t *testing.T) {
	dir := repository(t, map[string]string{
		".gitignore": "*.log\n", "a": "a", "gone": "x", "run": "#!sh", "sub/b": "b", "link": "->sub/b", "ü": "u",
		"up/link": "->../a", "dist/old.floto-patch.zip": "p", "keys/token": "secret", "notes/n": "n",
	})
	tree(t, dir, map[string]string{"new": "n", "x.log": "l", "nested/file": "f", "private": "p", "empty/": ""})
	check(t, os.Remove(filepath.Join(dir, "gone")))
	check(t, os.Chmod(filepath.Join(dir, "private"), 0o600))
	check(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	git(t, filepath.Join(dir, "nested"), "init", "-q")

	w := open(t, dir)
	if got := conf(t, w, planner.ConfQuery{}); got != ".gitignore a keys/token link@ new notes/n private run* sub/b up/link@ ü" {
		t.Errorf("all: %s", got)
	}
	if got := conf(t, w, planner.ConfQuery{Omit: []string{"keys/token", "sub", "up"}, Exclude: []string{"notes/**"}}); got != ".gitignore a link@ new private run* ü" {
		t.Errorf("omitted: %s", got)
	}
	if got := conf(t, w, planner.ConfQuery{Include: []string{"**/b", "{a,run}"}}); got != "a run* sub/b" {
		t.Errorf("included: %s", got)
	}
	if got := conf(t, open(t, filepath.Join(dir, "sub")), planner.ConfQuery{}); got != "b" {
		t.Errorf("sub-folder: %s", got)
	}
}

// A key does not travel however the configuration names it.
func TestConfOmitsByAnyName(t *testing.T) {
	dir := repository(t, map[string]string{
		"a": "a", "keys/one": "1", "keys/two": "2", "now": "->keys/one", "then": "->now", "other": "->keys", "up/here": "->..", "gone": "->nothing",
	})
	for name, want := range map[string]string{
		"now":                               "a gone@ keys/two other@ then@ up/here@",
		"then":                              "a gone@ keys/two now@ other@ up/here@",
		"other/two":                         "a gone@ keys/one now@ other@ then@ up/here@",
		"other":                             "a gone@ now@ then@ up/here@",
		"../" + filepath.Base(dir) + "/now": "a gone@ keys/two other@ then@ up/here@",
		filepath.Join(dir, "now"):           "a gone@ keys/two other@ then@ up/here@",
		filepath.Join(dir, "keys"):          "a gone@ now@ other@ then@ up/here@",
		dir:                                 "a gone@ keys/one keys/two now@ other@ then@ up/here@",
		"up/here":                           "a gone@ keys/one keys/two now@ other@ then@",
		"gone":                              "a keys/one keys/two now@ other@ then@ up/here@",
		"../gone":                           "a gone@ keys/one keys/two now@ other@ then@ up/here@",
	} {
		if got := conf(t, open(t, dir), planner.ConfQuery{Omit: []string{name}}); got != want {
			t.Errorf("without %q: %s, want %s", name, got, want)
		}
	}
}

func TestConfWithoutGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	w := workspace(t, map[string]string{"a": "a", ".hidden": "h", ".git/x": "x", "sub/.hidden/y": "y", "sub/b": "#!b", "dist/x.zip": "z", "link": "->a"})
	if got := conf(t, w, planner.ConfQuery{Omit: []string{"dist"}}); got != "a link@ sub/b*" {
		t.Errorf("got %s", got)
	}
}

// Files that flotobuild writes itself are not taken from the project.
func TestConfLeavesOutOwnFiles(t *testing.T) {
	dir := repository(t, map[string]string{".GIT_DESCRIBE": "v0", ".GIT_TIMESTAMP": "0", "sub/.GIT_DESCRIBE": "v0", "a": "a"})
	if got := conf(t, open(t, dir), planner.ConfQuery{}); got != "a sub/.GIT_DESCRIBE" {
		t.Errorf("got %s", got)
	}
}

// A file with a bad name that is gone, though not yet in git, is no problem.
func TestConfOfRemovedFile(t *testing.T) {
	dir := repository(t, map[string]string{`a\b`: "x", "a": "a"})
	check(t, os.Remove(filepath.Join(dir, `a\b`)))
	if got := conf(t, open(t, dir), planner.ConfQuery{}); got != "a" {
		t.Errorf("got %s", got)
	}
}

func TestConfWithMergeConflict(t *testing.T) {
	dir := repository(t, map[string]string{"a": "1"})
	git(t, dir, "checkout", "-q", "-b", "side")
	tree(t, dir, map[string]string{"a": "2"})
	git(t, dir, "commit", "-q", "-am", "two")
	git(t, dir, "checkout", "-q", "main")
	tree(t, dir, map[string]string{"a": "3"})
	git(t, dir, "commit", "-q", "-am", "three")
	isolate(t)
	_, _ = open(t, dir).git(context.Background(), "merge", "side") // conflicts
	if got := conf(t, open(t, dir), planner.ConfQuery{}); got != "a" {
		t.Errorf("got %s", got)
	}
}

func TestConfRefuses(t *testing.T) {
	outside := t.TempDir()
	for _, c := range []struct {
		name, path, content, message string
	}{
		{"link upwards", "l", "->../x", "leaves conf/"},
		{"link upwards from below", "a/b/l", "->../../../x", "leaves conf/"},
		{"absolute link", "l", "->/etc/passwd", "relative"},
		{"link through another", "l", "->to/x", "outside of the project folder"},
		{"name", "bad\xff", "", `"conf/bad\xff" is not UTF-8`},
		{"line feed", "a\nb", "", "control character"},
		{"backslash", `a\b`, "", "backslash"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			w := workspace(t, map[string]string{c.path: c.content})
			if c.name == "link through another" {
				check(t, os.Symlink(outside, filepath.Join(w.dir, "to")))
				check(t, os.WriteFile(filepath.Join(outside, "x"), nil, 0o644))
			}
			_, err := w.Conf(context.Background(), planner.ConfQuery{Include: []string{"**"}, Exclude: []string{"to"}})
			if err == nil || !strings.Contains(err.Error(), c.message) || !strings.Contains(err.Error(), "exclude") {
				t.Errorf("got %v", err)
			}
			if got := conf(t, w, planner.ConfQuery{Exclude: []string{"**/l", "to", "bad*", "a\n*", "a\\\\b", "a/b"}}); got != "" {
				t.Errorf("although excluded: %s", got)
			}
		})
	}
	w := workspace(t, nil)
	if _, err := w.Conf(context.Background(), planner.ConfQuery{Include: []string{"[a"}}); err == nil || !strings.Contains(err.Error(), `"[a"`) {
		t.Errorf("pattern: %v", err)
	}
}

// BenchmarkFacts measures a plan's gathering for 1,000 files, as context and
// as conf, with a warm cache.
func BenchmarkFacts(b *testing.B) {
	files := make(map[string]string)
	size := int64(0)
	for n := range 1000 {
		content := strings.Repeat(fmt.Sprintf("line %d\n", n), 100)
		size += 2 * int64(len(content))
		files[fmt.Sprintf("images/app%d/dir%d/file%d", n%4, n%10, n)] = content
	}
	dir := repository(b, files)
	settle()
	for _, cold := range []bool{true, false} {
		b.Run(map[bool]string{true: "cold", false: "warm"}[cold], func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				w := open(b, dir)
				if cold {
					w.cache.entries = make(map[string]cached)
				}
				_, err := w.Project(context.Background(), nil)
				check(b, err)
				_, err = w.Conf(context.Background(), planner.ConfQuery{Include: []string{"**"}})
				check(b, err)
				_, err = w.Folder(context.Background(), planner.FolderQuery{Dir: "images"})
				check(b, err)
				check(b, w.Close())
			}
		})
	}
}
