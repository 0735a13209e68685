package site

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	crashMoments = flag.Int("crash.moments", 0, "moments at which each operation is killed, and made to fail; 0 for few, or 200 where CI is set")
	crashSeed    = flag.Uint64("crash.seed", 0, "seed of the crash tests; 0 for another one each time")
)

// victimVariable makes the test binary be the process that is killed: its value
// is the operation, the store and the patch.
const victimVariable = "FLOTOBUILD_TEST_SITE_VICTIM"

func TestMain(m *testing.M) {
	if v := os.Getenv(victimVariable); v != "" {
		words := strings.Split(v, "|")
		if err := operate(context.Background(), words[0], words[1], words[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	os.Exit(m.Run())
}

// operate does one operation on the store in dir.
func operate(ctx context.Context, operation, dir, arg string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	switch operation {
	case "import":
		_, err = s.Import(ctx, Source{Path: arg}, ImportOptions{By: "victim"})
	case "activate":
		err = s.Activate(ctx, arg, "victim")
	case ActionVars:
		err = s.SetVar(ctx, "plc", "10.0.0.8", "victim")
	case "gc":
		_, err = s.GC(ctx, GCOptions{By: "victim"})
	default:
		err = errors.New("no such operation")
	}
	return err
}

// A crash is one way to disturb an operation.
type crash struct {
	delay  time.Duration // before SIGKILL; 0 for a fault
	inject []string      // arguments of strace
}

// moments is how many crashes a test is to make.
func moments(t *testing.T) int {
	switch {
	case *crashMoments > 0:
		return *crashMoments
	case testing.Short():
		return 3
	case os.Getenv("CI") != "":
		return 200
	}
	return 6
}

func newSeed(t *testing.T) uint64 {
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed: -crash.seed=%d", seed)
	return seed
}

// A scene is a store in which each operation has something to do: three patches,
// of which the second is active, and a fourth that is not imported yet.
type scene struct {
	store  string
	paths  []string
	ids    []string
	events int
}

func newScene(t *testing.T) *scene {
	return newSceneOf(t, newMaker(t).withVariables().chain(4))
}

func newSceneOf(t *testing.T, paths []string) *scene {
	c := &scene{paths: paths}
	s := newSite(t)
	setVars(t, s, "plc", "10.0.0.7", "pin", "geheim-1")
	for n, p := range c.paths {
		c.ids = append(c.ids, header(t, p).Description.ID)
		if n < 3 {
			mustImport(t, s, p)
		}
	}
	for _, id := range c.ids[:2] {
		if err := s.Activate(t.Context(), id, "test"); err != nil {
			t.Fatal(err)
		}
	}
	history, err := s.History()
	if err != nil {
		t.Fatal(err)
	}
	c.store, c.events = s.Dir(), len(history)
	return c
}

// arg is the argument of an operation.
func (c *scene) arg(operation string) string {
	switch operation {
	case "import":
		return c.paths[3]
	case "activate":
		return c.ids[2]
	}
	return ""
}

// disturb runs an operation on a copy of the store and crashes it. It says how
// it ended.
func (c *scene) disturb(t *testing.T, operation, dir string, k crash) string {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(c.store)); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	if k.inject != nil {
		cmd = exec.Command("strace", append(k.inject, "-f", "-qqq", exe)...)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	cmd.Env = append(os.Environ(), victimVariable+"="+strings.Join([]string{operation, dir, c.arg(operation)}, "|"), "GOMAXPROCS=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if k.delay > 0 {
		timer := time.AfterFunc(k.delay, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Sprintf("%v: %s", err, bytes.TrimSpace(errs.Bytes()))
	}
	return "done"
}

// aftermath checks the store after a crash, and again after the operation has
// been carried through.
func (c *scene) aftermath(t *testing.T, operation, dir string) {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	whole(t, s)
	id, ok, err := s.Active()
	if err != nil || !ok || id != c.ids[1] && (operation != "activate" || id != c.ids[2]) {
		t.Fatalf("after the crash %q is active: %v", id, err)
	}
	if r, err := s.Release(id); err != nil || r.Manifest.Hosts[0].Address != "10.0.0.7" {
		t.Fatalf("after the crash the active one is %+v: %v", r, err)
	}
	if err := operate(t.Context(), operation, dir, c.arg(operation)); err != nil {
		t.Fatalf("the next one fails: %v", err)
	}
	sound(t, s)
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left after the next one: %q", l)
	}
	c.told(t, s, operation)
	if err := operate(t.Context(), "gc", dir, ""); err != nil {
		t.Fatal(err)
	}
	sound(t, s)
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left after gc: %q", l)
	}
}

// told checks that the history tells of the operation once. Of a collection that
// was killed it may tell nothing.
func (c *scene) told(t *testing.T, s *Site, operation string) {
	t.Helper()
	history, err := s.History()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range history[c.events:] {
		if e.Action == operation {
			n++
		}
	}
	if n != 1 && operation != "gc" {
		t.Errorf("the history tells of it %d times: %+v", n, history[c.events:])
	}
}

// whole fails where a patch that is listed lacks something.
func whole(t *testing.T, s *Site) {
	t.Helper()
	all, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		p, err := s.Patch(e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.checkWhole(p); err != nil {
			t.Error(err)
		}
		if _, err := s.wholeImages(p.Header.Description); err != nil {
			t.Error(err)
		}
	}
}

// operations are those that crash tests disturb.
var operations = []string{"import", "activate", "gc", ActionVars}

// TestKilled ends operations at random moments by SIGKILL.
func TestKilled(t *testing.T) {
	c, seed := newScene(t), newSeed(t)
	for n, operation := range operations {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			c.kill(t, operation, rand.New(rand.NewPCG(seed, uint64(n))))
		})
	}
}

func (c *scene) kill(t *testing.T, operation string, rng *rand.Rand) {
	var took time.Duration
	for range 3 { // the first loads the program
		begun := time.Now()
		if how := c.disturb(t, operation, filepath.Join(t.TempDir(), "store"), crash{}); how != "done" {
			t.Fatal(how)
		}
		took = time.Since(begun)
	}
	ended := 0
	for range moments(t) {
		dir := filepath.Join(t.TempDir(), "store")
		k := crash{delay: time.Duration(rng.Int64N(int64(took)*5/4)) + 1}
		if c.disturb(t, operation, dir, k) != "done" {
			ended++
		}
		if c.aftermath(t, operation, dir); t.Failed() {
			t.Fatalf("killed after %v", k.delay)
		}
		discard(t, dir)
	}
	t.Logf("it takes about %v; killed in time: %d of %d", took, ended, moments(t))
}

// discard removes a store early: hundreds of them need not stay until the end.
func discard(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}

// faults are the system calls that change something, and what they fail with.
var (
	faultCalls = []string{"openat", "write", "pwrite64", "fsync", "renameat", "renameat2", "mkdirat", "unlinkat", "ftruncate", "symlinkat", "fchmodat", "copy_file_range", "flock"}
	faultKinds = []string{"error=ENOSPC", "error=EIO", "error=EROFS", "signal=SIGKILL"}
)

// TestFaults lets system calls of operations fail, once or from some moment on,
// and kills at them. strace does that to the process from outside.
func TestFaults(t *testing.T) {
	needStrace(t)
	c, seed := newScene(t), newSeed(t)
	for n, operation := range operations {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			c.fail(t, operation, rand.New(rand.NewPCG(seed, uint64(n))))
		})
	}
}

// needStrace skips a test where nothing can be traced.
func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("strace is not installed")
		}
		t.Skip("strace is not installed")
	}
	if err := exec.Command("strace", "-f", "-o", "/dev/null", "true").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("strace cannot trace here: %v", err)
		}
		t.Skipf("strace cannot trace here: %v", err)
	}
}

func (c *scene) fail(t *testing.T, operation string, rng *rand.Rand) {
	counts := c.count(t, operation)
	failed := 0
	for range moments(t) {
		k, text := randomFault(rng, counts)
		dir := filepath.Join(t.TempDir(), "store")
		how := c.disturb(t, operation, dir, k)
		if how != "done" {
			failed++
		}
		if c.aftermath(t, operation, dir); t.Failed() {
			t.Fatalf("with %s: %s", text, how)
		}
		discard(t, dir)
	}
	t.Logf("it makes %v; failed: %d of %d", counts, failed, moments(t))
}

// count counts the system calls of an operation that nobody disturbs.
func (c *scene) count(t *testing.T, operation string) map[string]int {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	if how := c.disturb(t, operation, filepath.Join(t.TempDir(), "store"), crash{inject: []string{"-e", "trace=" + strings.Join(faultCalls, ","), "-o", trace}}); how != "done" {
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
		for _, want := range faultCalls {
			if name == want {
				counts[name]++
			}
		}
	}
	return counts
}

// randomFault takes any call of the operation.
func randomFault(rng *rand.Rand, counts map[string]int) (crash, string) {
	total := 0
	for _, name := range faultCalls {
		total += counts[name]
	}
	at := rng.IntN(total)
	for _, name := range faultCalls {
		if at >= counts[name] {
			at -= counts[name]
			continue
		}
		kind := faultKinds[rng.IntN(len(faultKinds))]
		when := fmt.Sprint(at + 1)
		if rng.IntN(2) == 0 {
			when += "+" // and all that follow
		}
		text := fmt.Sprintf("inject=%s:%s:when=%s", name, kind, when)
		return crash{inject: []string{"-o", "/dev/null", "-e", "trace=" + name, "-e", text}}, text
	}
	panic("no call was chosen")
}
