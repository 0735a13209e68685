//go:build linux

package executor_test

import (
	"archive/zip"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/executor/engine"
	"github.com/flotobuild/flotobuild/executor/facts"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// stateDir is the engine's, shared by all tests of the run.
var stateDir string

// TestMain lets the test binary be the engine too, as the tool is.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "engine" && os.Args[2] == "serve" {
		serve(os.Args[3:])
		return
	}
	dir, err := os.MkdirTemp("", "flotobuild-executor-test-")
	if err != nil {
		panic(err)
	}
	stateDir = dir
	code := m.Run()
	for {
		if running, err := engine.Stop(context.Background(), dir); err != nil || !running {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := os.RemoveAll(dir); err != nil && os.Geteuid() == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func serve(args []string) {
	fs := flag.NewFlagSet("serve", flag.ExitOnError)
	state := fs.String("state", "", "")
	runc := fs.String("runc", "", "")
	fs.Parse(args)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := engine.Serve(ctx, engine.ServeOptions{StateDir: *state, Version: "test", Runc: *runc}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// counter counts the bytes of all connections to the engine.
type counter struct{ in, out atomic.Int64 }

func (c *counter) wrap(nc net.Conn) net.Conn { return &countedConn{nc, c} }

func (c *counter) total() int64 { return c.in.Load() + c.out.Load() }

type countedConn struct {
	net.Conn
	c *counter
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.c.in.Add(int64(n))
	return n, err
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.c.out.Add(int64(n))
	return n, err
}

// A project is a folder with a configuration of one site, "plant".
type project struct {
	t     testing.TB
	dir   string
	now   time.Time
	state string
	bytes *counter // of the latest apply
}

// linkOrCopy makes a hard link where both are on one file system: a symbolic one
// would lead out of the project.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}

// newProject writes a project with these files, "rootfs.tar" being the test
// root file system.
func newProject(t testing.TB, files map[string]string) *project {
	t.Helper()
	p := &project{t: t, dir: t.TempDir(), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), state: stateDir}
	rootfs := os.Getenv("FLOTOBUILD_TEST_ROOTFS")
	if rootfs == "" || os.Getenv("FLOTOBUILD_TEST_RUNC") == "" {
		t.Fatal("FLOTOBUILD_TEST_ROOTFS and FLOTOBUILD_TEST_RUNC are not set: run \"make test\"")
	}
	p.write(files)
	if strings.Contains(files["plant.floto.hcl"], "rootfs.tar") {
		if err := linkOrCopy(rootfs, filepath.Join(p.dir, "rootfs.tar")); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *project) write(files map[string]string) {
	p.t.Helper()
	for name, text := range files {
		file := filepath.Join(p.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *project) plan() *planner.Plan {
	p.t.Helper()
	root, err := os.OpenRoot(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	defer root.Close()
	cfg, diags := lang.Load(root.FS(), lang.Options{ToolVersion: "0.1.0"})
	if diags.HasErrors() {
		p.t.Fatal(diags)
	}
	w, err := facts.Open(facts.Options{Dir: p.dir})
	if err != nil {
		p.t.Fatal(err)
	}
	defer w.Close()
	want, err := planner.Resolve(p.t.Context(), cfg, w, planner.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	found, err := w.Parents(p.t.Context(), cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	var parents []*patch.Description
	for _, f := range found {
		parents = append(parents, f.Description)
	}
	plan := planner.Diff(parents, want)
	for _, f := range found {
		plan.Bind(f.Site, patch.ParentRef{ID: f.Description.ID, DescriptionDigest: f.Digest}, f.File)
	}
	return plan
}

func (p *project) options() executor.Options {
	p.now = p.now.Add(time.Hour)
	p.bytes = &counter{}
	return executor.Options{
		Dir: p.dir, StoreDir: filepath.Join(p.dir, ".flotobuild", "store"), DeltaDir: filepath.Join(p.dir, ".flotobuild", "deltas"),
		Engine: engine.Options{StateDir: p.state, Version: "test", Runc: os.Getenv("FLOTOBUILD_TEST_RUNC"), Wrap: p.bytes.wrap},
		Now:    p.now, Producer: "test",
	}
}

// apply applies and returns the new patch of the site; nil where there is none.
func (p *project) apply() *patch.Reader {
	p.t.Helper()
	opts := p.options()
	if testing.Verbose() {
		var err error
		if opts.Progress, err = executor.NewProgress(os.Stderr, "plain"); err != nil {
			p.t.Fatal(err)
		}
	}
	res, err := executor.Apply(p.t.Context(), p.plan(), opts)
	opts.Progress.Close()
	if err != nil {
		p.t.Fatal(err)
	}
	if res.Sites[0].File == "" {
		return nil
	}
	r, err := patch.Open(res.Sites[0].File)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { r.Close() })
	return r
}

// carried lists the diff ids of the layers that a patch carries, by image.
func carried(t testing.TB, r *patch.Reader) []string {
	t.Helper()
	var out []string
	deltas := r.Description.Deltas()
	for _, i := range r.Description.Flotobuild.Images {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				if _, made := deltas[l.Digest]; made || r.Has(l.Digest) {
					out = append(out, i.Name+" "+l.DiffID.String())
				}
			}
		}
	}
	return out
}

const siteHCL = `
root_definition "plant" {
  file       = "plant.root.hcl"
  image_sets = [image_set.plant]
}
site "plant" {
  root_definition = root_definition.plant
  patch { version = "1.0.0" }
}
`

const rootHCL = `
host "edge" { address = "127.0.0.1" }
container "app" {
  image = "app"
  host  = "edge"
}
`

func appProject(t *testing.T, dockerfile string) *project {
	return newProject(t, map[string]string{
		"plant.floto.hcl": siteHCL + `
image_set "plant" {
  image "base" { rootfs = "rootfs.tar" }
  image "app" {
    context  = "app"
    contexts = { base = image_set.plant.image.base }
  }
}
`,
		"plant.root.hcl": rootHCL,
		"app/Dockerfile": dockerfile,
		"app/file":       "one\n",
	})
}

func TestUnchangedAndSmallChangeMoveNoLayers(t *testing.T) {
	p := appProject(t, `FROM base
RUN seq 1 6000000 > /numbers && head -c 300000000 /dev/urandom > /large
COPY file /file
`)
	first := p.apply()
	if n := len(carried(t, first)); n != 3 {
		t.Fatalf("the initial patch carries %d layers; want 3", n)
	}
	if size := first.Size(); size < 300_000_000 {
		t.Fatalf("the initial patch has %d bytes; the image alone has more", size)
	}
	if r := p.apply(); r != nil {
		t.Fatal("a second apply wrote a patch")
	}
	if n := p.bytes.total(); n != 0 {
		t.Errorf("%d bytes over the engine's API for an unchanged project; want 0", n)
	}
	p.write(map[string]string{"app/file": "two\n"})
	second := p.apply()
	if c := carried(t, second); len(c) != 1 {
		t.Errorf("the incremental patch carries %v; want one layer", c)
	}
	if n := p.bytes.total(); n > 64<<10 {
		t.Errorf("%d bytes over the engine's API for a small layer on a large image; want at most 64 KiB", n)
	} else {
		t.Logf("%d bytes in, %d out over the engine's API", p.bytes.in.Load(), p.bytes.out.Load())
	}
}

func TestStreamable(t *testing.T) {
	p := appProject(t, "FROM base\nRUN echo hello > /hello\n")
	r := p.apply()
	z, err := zip.OpenReader(p.file())
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		if f.Flags&8 != 0 {
			t.Errorf("%s has a data descriptor", f.Name)
		}
	}
	if r.Description.Flotobuild.Version != "1.0.0" {
		t.Errorf("version %q", r.Description.Flotobuild.Version)
	}
}

// file is the only patch in the output folder.
func (p *project) file() string {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, "dist", "*"+patch.Extension))
	if err != nil || len(files) != 1 {
		p.t.Fatalf("patches %v, %v; want one", files, err)
	}
	return files[0]
}

func TestFailingRun(t *testing.T) {
	p := appProject(t, "FROM base\nRUN echo before\nRUN echo the-reason >&2; exit 3\n")
	_, err := executor.Apply(t.Context(), p.plan(), p.options())
	if err == nil {
		t.Fatal("a failing RUN succeeds")
	}
	for _, want := range []string{"image_set.plant.image.app", "app/Dockerfile:3", "the-reason", "exit code: 3"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %q:\n%v", want, err)
		}
	}
	if _, err := os.Stat(filepath.Join(p.dir, "dist")); err == nil {
		t.Error("a failed apply left an output folder")
	}
}

// wipe ends the engine and deletes its state.
func (p *project) wipe() {
	p.t.Helper()
	for {
		running, err := engine.Stop(context.Background(), p.state)
		if err != nil {
			p.t.Fatal(err)
		}
		if !running {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := os.RemoveAll(p.state); err != nil {
		p.t.Fatal(err)
	}
}

// ownEngine gives the project an engine of its own, which it may wipe.
func (p *project) ownEngine() {
	p.state = filepath.Join(p.t.TempDir(), "engine")
	p.t.Cleanup(p.wipe)
}

func TestParentServesAsCacheOnANewMachine(t *testing.T) {
	p := appProject(t, `FROM base
RUN head -c 1000000 /dev/urandom > /random
COPY file /file
RUN date +%s%N > /built && cat /proc/sys/kernel/random/uuid >> /built
COPY --link late /late
`)
	p.write(map[string]string{"app/late": "one\n"})
	p.ownEngine()
	p.apply()
	p.wipe()

	// A linked copy needs none of the layers below: nothing is uploaded.
	p.write(map[string]string{"app/late": "two\n"})
	second := p.apply()
	if c := carried(t, second); len(c) != 1 {
		t.Errorf("after a changed COPY --link the patch carries %v; want one layer", c)
	}
	if n := p.bytes.total(); n > 128<<10 {
		t.Errorf("%d bytes over the engine's API; want no layer of the parent among them", n)
	} else {
		t.Logf("%d bytes over the engine's API", n)
	}
	p.wipe()

	// A step in the middle: what stands before it keeps its diff id, although
	// neither is the same twice.
	p.write(map[string]string{"app/file": "two\n"})
	third := p.apply()
	if c := carried(t, third); len(c) != 2 {
		t.Errorf("after a changed COPY the patch carries %v; want the COPY and the RUN on top of it", c)
	}
	p.wipe()

	// Only the newest patch is at hand, and it is incremental.
	patches, err := filepath.Glob(filepath.Join(p.dir, "dist", "*"+patch.Extension))
	if err != nil || len(patches) != 3 {
		t.Fatal(patches, err)
	}
	for _, f := range patches[:2] {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	p.write(map[string]string{"app/late": "three\n"})
	fourth := p.apply()
	if c := carried(t, fourth); len(c) != 1 {
		t.Errorf("with the newest patch alone, a changed COPY --link gives %v; want one layer", c)
	}
	p.wipe()

	// Where a layer of the parent is needed and nobody has it, it is built anew.
	p.write(map[string]string{"app/file": "three\n"})
	fifth := p.apply()
	if c := carried(t, fifth); len(c) < 3 {
		t.Errorf("the patch carries %v; want all layers but the base", c)
	}
}

// replace replaces a text in a file of the project.
func (p *project) replace(name, old, text string) {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil || !strings.Contains(string(b), old) {
		p.t.Fatalf("%s has no %q: %v", name, old, err)
	}
	p.write(map[string]string{name: strings.Replace(string(b), old, text, 1)})
}

// fails applies and wants an error with this text.
func (p *project) fails(want string) {
	p.t.Helper()
	_, err := executor.Apply(p.t.Context(), p.plan(), p.options())
	if err == nil || !strings.Contains(err.Error(), want) {
		p.t.Errorf("Apply: %v; want an error with %q", err, want)
	}
}

// applied applies and returns the file that it wrote.
func (p *project) applied() string {
	p.t.Helper()
	res, err := executor.Apply(p.t.Context(), p.plan(), p.options())
	if err != nil {
		p.t.Fatal(err)
	}
	if res.Sites[0].File == "" {
		p.t.Fatal("no patch was written")
	}
	return res.Sites[0].File
}

// headers of all patches in the output folder.
func (p *project) headers() []*patch.Header {
	p.t.Helper()
	files, err := patch.List(filepath.Join(p.dir, "dist"))
	if err != nil {
		p.t.Fatal(err)
	}
	var out []*patch.Header
	for _, f := range files {
		out = append(out, f.Header)
	}
	return out
}

func TestNewPatchIsYoungerThanItsParent(t *testing.T) {
	p := appProject(t, "FROM base\nCOPY file /file\n")
	first := p.apply()
	p.write(map[string]string{"app/file": "two\n"})
	opts := p.options()
	epoch := first.Description.CreationDate.Add(-time.Hour)
	opts.Epoch = &epoch
	if _, err := executor.Apply(t.Context(), p.plan(), opts); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Errorf("Apply with an older SOURCE_DATE_EPOCH: %v; want an error", err)
	}
	p.now = p.now.Add(-24 * time.Hour) // the clock was set back
	second := p.apply()
	if !second.Description.CreationDate.After(first.Description.CreationDate.Time) {
		t.Errorf("created %s, and its parent %s", second.Description.CreationDate, first.Description.CreationDate)
	}
	if r := p.apply(); r != nil {
		t.Error("the patch before is still the latest")
	}
}
