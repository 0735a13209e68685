package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flotobuild/flotobuild/executor/engine"
)

// patience bounds every wait of the scripts.
const patience = 2 * time.Minute

// A watched buffer tells when its content matches.
type watched struct {
	mu      sync.Mutex
	b       []byte
	pattern *regexp.Regexp
	found   chan struct{}
}

// Write implements io.Writer.
func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b = append(w.b, p...)
	if w.pattern != nil && w.pattern.Match(w.b) {
		close(w.found)
		w.pattern = nil
	}
	return len(p), nil
}

func (w *watched) seen() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.b)
}

// cmdInterrupt runs flotobuild, sends a signal when its stderr matches, and
// checks how it ends. Its output goes to the files out and err.
func cmdInterrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: interrupt SIGNAL PATTERN EXITCODE ARGS…")
	}
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	out, errs := &watched{}, &watched{pattern: regexp.MustCompile(args[1]), found: make(chan struct{})}
	cmd := exec.Command(lookPath(ts, "flotobuild"), args[3:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), environ(ts)
	cmd.Stdout, cmd.Stderr = out, errs
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-errs.found:
	case err := <-ended:
		ts.Fatalf("it ended before %q was seen: %v\n%s", args[1], err, errs.seen())
	case <-time.After(patience):
		cmd.Process.Kill()
		ts.Fatalf("no %q in\n%s", args[1], errs.seen())
	}
	ts.Check(cmd.Process.Signal(signals[args[0]]))
	select {
	case <-ended:
	case <-time.After(patience):
		cmd.Process.Kill()
		ts.Fatalf("it does not end after the signal:\n%s", errs.seen())
	}
	ts.Check(os.WriteFile(ts.MkAbs("out"), out.seen(), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("err"), errs.seen(), 0o644))
	if code := cmd.ProcessState.ExitCode(); strconv.Itoa(code) != args[2] {
		ts.Fatalf("exit code %d, not %s:\n%s", code, args[2], errs.seen())
	}
}

// cmdAwait waits until a file matches.
func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "await FILE PATTERN")
	pattern := regexp.MustCompile(args[1])
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if b, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && pattern.Match(b) {
			return
		}
	}
	ts.Fatalf("%s does not match %q", args[0], args[1])
}

// cmdPathWithout makes a folder with links to all programs in PATH but some,
// and makes it the PATH.
func cmdPathWithout(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: pathwithout FOLDER PROGRAM…")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	for _, from := range filepath.SplitList(ts.Getenv("PATH")) {
		entries, err := os.ReadDir(from)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !slices.Contains(args[1:], e.Name()) {
				os.Symlink(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())) // the first in PATH counts
			}
		}
	}
	ts.Setenv("PATH", dir)
}

// lookPath finds a program in the script's PATH.
func lookPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return p
		}
	}
	ts.Fatalf("%s is not in PATH", name)
	return ""
}

// environ is the script's environment, as far as flotobuild reads it.
func environ(ts *testscript.TestScript) []string {
	var out []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "XDG_STATE_HOME", "FLOTOBUILD_RUNC", "FLOTOBUILD_SITE", "BUILDKIT_HOST", "DOCKER_HOST", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CEILING_DIRECTORIES"} {
		if v := ts.Getenv(name); v != "" {
			out = append(out, name+"="+v)
		}
	}
	return out
}

// cmdKillEngine kills the script's own engine in the middle of a RUN step, as a
// power cut would.
func cmdKillEngine(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "killengine")
	state := filepath.Join(ts.Getenv("XDG_STATE_HOME"), "flotobuild", "engine")
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		bundles, err := filepath.Glob(filepath.Join(state, "buildkit", "runc-*", "executor", "*", "config.json"))
		ts.Check(err)
		if len(bundles) > 0 {
			break
		}
		if time.Now().After(end) {
			ts.Fatalf("no RUN step began")
		}
	}
	r, err := engine.ReadRecord(state)
	ts.Check(err)
	ts.Check(syscall.Kill(r.PID, syscall.SIGKILL))
}
