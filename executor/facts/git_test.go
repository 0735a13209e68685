package facts

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

func project(t *testing.T, w *Workspace, omit ...string) planner.Project {
	t.Helper()
	p, err := w.Project(context.Background(), omit)
	check(t, err)
	return p
}

func TestProject(t *testing.T) {
	dir := repository(t, map[string]string{"plant/a": "a", "other/b": "b"})
	git(t, dir, "tag", "v1.2.3")
	plant := filepath.Join(dir, "plant")

	want := planner.Project{Revision: "v1.2.3", Timestamp: "2026-01-02T03:04:05Z", Author: "Ada <ada@example.com>"}
	if got := project(t, open(t, plant)); got != want {
		t.Errorf("clean: %+v", got)
	}

	tree(t, dir, map[string]string{"other/b": "changed"})
	if got := project(t, open(t, plant)); got != want {
		t.Errorf("a change outside of the project folder: %+v", got)
	}

	tree(t, dir, map[string]string{"plant/dist/p.zip": "", "plant/.flotobuild/x": ""})
	if got := project(t, open(t, plant), "dist", ".flotobuild"); got != want {
		t.Errorf("omitted files: %+v", got)
	}

	want.Dirty, want.Revision = true, "v1.2.3-dirty"
	if got := project(t, open(t, plant)); got != want {
		t.Errorf("a new file: %+v", got)
	}
	tree(t, dir, map[string]string{"plant/a": "changed"})
	if got := project(t, open(t, plant), "dist", ".flotobuild"); got != want {
		t.Errorf("a changed file: %+v", got)
	}
}

func TestGit(t *testing.T) {
	dir := repository(t, map[string]string{"a": "a"})
	git(t, dir, "tag", "v1")
	tree(t, dir, map[string]string{"out/p.floto-patch.zip": "", ".flotobuild/x": ""})
	want := lang.Git{Describe: "v1", Commit: git(t, dir, "rev-parse", "HEAD"), Timestamp: "2026-01-02T03:04:05Z"}
	if got, err := open(t, dir).Git(context.Background()); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := workspace(t, nil).Git(context.Background()); err == nil || !strings.Contains(err.Error(), "not under git") {
		t.Errorf("got %v", err)
	}
}

func TestProjectWithoutTag(t *testing.T) {
	dir := repository(t, map[string]string{"a": "a"})
	if got := project(t, open(t, dir)); got.Revision != git(t, dir, "rev-parse", "--short", "HEAD") {
		t.Errorf("got %+v", got)
	}
}

func TestProjectWithoutGit(t *testing.T) {
	git(t, ".", "version")
	t.Setenv("GIT_CEILING_DIRECTORIES", "/")
	plain := workspace(t, map[string]string{"a": "a"})
	if got := project(t, plain); got != (planner.Project{}) {
		t.Errorf("no repository: %+v", got)
	}
	empty := workspace(t, map[string]string{"a": "a"})
	git(t, empty.dir, "init", "-q")
	if got := project(t, empty); got != (planner.Project{}) {
		t.Errorf("no commit: %+v", got)
	}
	ignored := repository(t, map[string]string{".gitignore": "build\n"})
	tree(t, ignored, map[string]string{"build/a": "a"})
	if got := project(t, open(t, filepath.Join(ignored, "build"))); got != (planner.Project{}) {
		t.Errorf("ignored folder of another repository: %+v", got)
	}
	t.Setenv("PATH", t.TempDir())
	if got := project(t, workspace(t, map[string]string{"a": "a"})); got != (planner.Project{}) {
		t.Errorf("no git: %+v", got)
	}
}

// Trouble with git must not pass for a project without git.
func TestProjectWithBrokenGit(t *testing.T) {
	dir := repository(t, map[string]string{"a": "a"})
	check(t, os.WriteFile(filepath.Join(dir, ".git", "index"), []byte("broken"), 0o644))
	if p, err := open(t, dir).Project(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "cannot run git") {
		t.Errorf("got %+v, %v", p, err)
	}
}
