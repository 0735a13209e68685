package facts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tree writes files: "path": "content", "path/": a folder, content "->x": a
// link, "#!x": an executable.
func tree(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		mode := os.FileMode(0o644)
		if strings.HasPrefix(content, "#!") {
			mode = 0o755
		}
		if target, ok := strings.CutPrefix(content, "->"); ok {
			check(t, os.Symlink(target, path))
		} else if strings.HasSuffix(name, "/") {
			check(t, os.MkdirAll(path, 0o755))
		} else {
			check(t, os.WriteFile(path, []byte(content), mode))
			check(t, os.Chmod(path, mode))
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// workspace opens a new project folder with the files.
func workspace(t testing.TB, files map[string]string) *Workspace {
	t.Helper()
	dir := t.TempDir()
	tree(t, dir, files)
	return open(t, dir)
}

func open(t testing.TB, dir string) *Workspace {
	t.Helper()
	w, err := Open(Options{Dir: dir, Platform: "linux/amd64"})
	check(t, err)
	return w
}

// git runs git in a folder, without the configuration of this machine.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is not installed: the tests need it, as make does")
	}
	isolate(t)
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// isolate makes commits that are the same everywhere.
func isolate(t testing.TB) {
	t.Helper()
	for k, v := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
		"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
		"GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
	} {
		t.Setenv(k, v)
	}
}

// repository makes a git repository with one commit of the files.
func repository(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	tree(t, dir, files)
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "first")
	return dir
}
