package deploy

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/flotobuild/flotobuild/site/docker"
)

var faultCount = flag.Int("faults", 0, "how many system calls TestFaults lets fail; 0 for few, or 200 where CI is set")

// victimVariable makes the test binary be the process whose system calls fail:
// its value is the folder of a site.
const victimVariable = "FLOTOBUILD_TEST_DEPLOY_VICTIM"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimVariable); dir != "" {
		if err := writeAll(dir, "2.0"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	os.Exit(m.Run())
}

// writeAll writes all that a redeploy of a version writes on this machine.
func writeAll(dir, version string) error {
	release := testRelease(`volumes: ["./conf:/conf"]`, "", map[string]string{"manifest/h/conf/a": version, "manifest/h/conf/b": strings.Repeat(version, 1e5)})
	release.ID = version
	d := New(&fakeSite{dir: dir, active: version, releases: map[string]*Release{version: release}}, docker.Environment{}, nil)
	if err := d.folders(); err != nil {
		return err
	}
	unlock, err := d.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := d.discard(); err != nil {
		return err
	}
	r := &run{Deployment: d}
	if r.state, err = ReadState(dir); err != nil {
		return err
	}
	want, err := renderTest(release, d.path(mountsDir))
	if err != nil {
		return err
	}
	tasks := []*task{{host: "local", release: release, want: want, engine: &docker.Engine{Endpoint: new(docker.Endpoint), ID: "engine"}}}
	if err := r.begin(release, tasks); err != nil {
		return err
	}
	if err := r.writeCompose(tasks[0]); err != nil {
		return err
	}
	for _, m := range want.mounts {
		if err := m.write(d.path(mountsDir)); err != nil {
			return err
		}
	}
	r.state.Hosts["local"] = HostState{Patch: version, Engine: "engine"}
	r.state.settle("local", "engine")
	r.state.Patch, r.state.Pending = version, nil
	if err := r.save(); err != nil {
		return err
	}
	return r.sweep(tasks)
}

// faults are the system calls that change something, and what they fail with.
var (
	faultCalls = []string{"openat", "write", "fsync", "renameat", "renameat2", "mkdirat", "unlinkat", "ftruncate", "fchmod", "fchmodat", "flock"}
	faultKinds = []string{"error=ENOSPC", "error=EIO", "error=EROFS", "signal=SIGKILL"}
)

// TestFaults lets system calls fail while the state, the Compose file and mounts
// are replaced, once or from some moment on: each is then the old or the new one,
// and the next time all goes well.
func TestFaults(t *testing.T) {
	if err := exec.Command("strace", "-f", "-o", "/dev/null", "true").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("strace cannot trace here: %v", err)
	}
	before := t.TempDir()
	if err := writeAll(before, "1.0"); err != nil {
		t.Fatal(err)
	}
	after := t.TempDir()
	if err := writeAll(after, "2.0"); err != nil {
		t.Fatal(err)
	}
	want := files(t, after)
	counts := countCalls(t, before)
	times := *faultCount
	if times == 0 {
		times = map[bool]int{true: 200, false: 12}[os.Getenv("CI") != ""]
	}
	failed := 0
	for range times {
		dir := filepath.Join(t.TempDir(), "site")
		call := faultCalls[rand.N(len(faultCalls))]
		for counts[call] == 0 {
			call = faultCalls[rand.N(len(faultCalls))]
		}
		fault := fmt.Sprintf("inject=%s:%s:when=%d%s", call, faultKinds[rand.N(len(faultKinds))], 1+rand.N(counts[call]), []string{"", "+"}[rand.N(2)])
		how := victim(t, before, dir, "-o", "/dev/null", "-e", "trace="+call, "-e", fault)
		if how != "" {
			failed++
		}
		checkFault(t, dir, want, how == "")
		if t.Failed() {
			t.Fatalf("with %s: %s", fault, how)
		}
		os.RemoveAll(dir)
	}
	t.Logf("it makes %v; failed: %d of %d", counts, failed, times)
}

// checkFault looks at what a fault has left, and then at what the next one makes
// of it. done says that the victim noticed no fault.
func checkFault(t *testing.T, dir string, want map[string]string, done bool) {
	t.Helper()
	s, err := ReadState(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.Patch != "2.0" && (s.Patch != "1.0" || done) {
		t.Errorf("state %+v", s)
	}
	for name, content := range files(t, dir) {
		mount, inMounts := strings.CutPrefix(name, mountsDir+"/")
		if now, known := want[name]; inMounts && !strings.HasPrefix(mount, ".") && known && content != now {
			t.Errorf("%q is not whole", name)
		}
	}
	if err := writeAll(dir, "2.0"); err != nil {
		t.Fatal(err)
	}
	got := files(t, dir)
	for name := range want {
		if got[name] == "" && want[name] != "" {
			t.Errorf("%q is not there", name)
		}
	}
	for name := range got {
		if _, known := want[name]; !known {
			t.Errorf("%q is left", name)
		}
	}
}

// files gives what is in the deployment's folder, with its paths in the content
// taken off.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for _, pattern := range []string{"*", "*/*", "*/*/*", "*/*/*/*"} {
		names, err := filepath.Glob(filepath.Join(dir, folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				continue // a folder
			}
			rel, err := filepath.Rel(filepath.Join(dir, folder), name)
			if err != nil {
				t.Fatal(err)
			}
			out[rel] = string(bytes.ReplaceAll(b, []byte(dir), nil))
		}
	}
	return out
}

// victim writes in a copy of a site, traced, and says how it failed.
func victim(t *testing.T, from, dir string, trace ...string) string {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "strace", append(trace, "-f", "-qqq", exe)...)
	cmd.Env = append(os.Environ(), victimVariable+"="+dir, "GOMAXPROCS=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Sprintf("%v: %s", err, bytes.TrimSpace(out))
	}
	return ""
}

// countCalls counts the system calls of a victim that nobody disturbs.
func countCalls(t *testing.T, from string) map[string]int {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	if how := victim(t, from, filepath.Join(t.TempDir(), "site"), "-o", trace, "-e", "trace="+strings.Join(faultCalls, ",")); how != "" {
		t.Fatal(how)
	}
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int)
	for line := range strings.Lines(string(b)) {
		_, call, _ := strings.Cut(line, " ")
		name, _, _ := strings.Cut(strings.TrimSpace(call), "(")
		counts[name]++
	}
	return counts
}
