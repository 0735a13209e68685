package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/executor/engine"
	"github.com/flotobuild/flotobuild/patch"
)

// victimSites is how many sites share the victim's images.
const victimSites = 4

const victimHCL = `
image_set "plant" {
  image "root" {
    rootfs = "root.tar"
  }
  image "app" {
    context  = "app"
    contexts = { root = image_set.plant.image.root }
  }
  image "tool" {
    context  = "tool"
    contexts = { app = image_set.plant.image.app }
  }
}
root_definition "plant" {
  file       = "plant.root.hcl"
  image_sets = [image_set.plant]
}
`

// A victim is a project with an engine of its own, whose applies are disturbed,
// or not.
type victim struct {
	t          *testing.T
	dir, state string
	log        string        // stderr of the latest apply
	round      int           // inputs differ in each
	took       time.Duration // the latest apply
}

func newVictim(t *testing.T, name string) *victim {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{t: t, dir: filepath.Join(dir, "project"), state: filepath.Join(dir, "state-"+name), log: filepath.Join(dir, "log")}
	text := victimHCL
	for n := range victimSites {
		text += fmt.Sprintf("site \"s%d\" {\n  root_definition = root_definition.plant\n  patch {\n    version = \"1.0.0\"\n  }\n}\n", n)
	}
	v.write("plant.floto.hcl", []byte(text))
	v.write("plant.root.hcl", []byte("host \"edge\" {\n  address = \"127.0.0.1\"\n}\ncontainer \"app\" {\n  image = \"app\"\n  host = \"edge\"\n}\ncontainer \"tool\" {\n  image = \"tool\"\n  host = \"edge\"\n}\n"))
	// A RUN step leaves the time of day in its layer: the images have none.
	v.write("app/Dockerfile", []byte("FROM root AS wait\nCOPY data /data\nRUN sleep 0.4\nFROM root\nCOPY --from=wait /data /data\n"))
	v.write("tool/Dockerfile", []byte("FROM app AS wait\nRUN sleep 0.1\nFROM app\nCOPY data /tool\nCOPY --from=wait /data /again\n"))
	rootfs, err := os.ReadFile(surroundings(t, "FLOTOBUILD_TEST_ROOTFS"))
	if err != nil {
		t.Fatal(err)
	}
	v.write("root.tar", rootfs)
	t.Cleanup(func() {
		if err := endEngine(v.state); err != nil {
			t.Error(err)
		}
	})
	return v
}

func (v *victim) write(name string, data []byte) {
	v.t.Helper()
	file := filepath.Join(v.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		v.t.Fatal(err)
	}
	// Both victims get the same layers.
	if at := time.Unix(1_600_000_000+int64(v.round), 0); os.Chtimes(file, at, at) != nil {
		v.t.Fatalf("cannot date %s", name)
	}
}

// change gives the images other content, and begins anew without patches.
func (v *victim) change(seed uint64) {
	v.t.Helper()
	v.round++
	src := rand.NewChaCha8([32]byte(binary.LittleEndian.AppendUint64(make([]byte, 24), seed)))
	for name, size := range map[string]int{"app/data": 5 << 20, "tool/data": 1 << 20} {
		data := make([]byte, size)
		src.Read(data)
		v.write(name, data)
	}
	v.forget()
}

func (v *victim) forget() {
	if err := os.RemoveAll(filepath.Join(v.dir, "dist")); err != nil {
		v.t.Fatal(err)
	}
}

// take makes the images' content that of another victim.
func (v *victim) take(from *victim) {
	v.round = from.round
	for _, name := range []string{"app/data", "tool/data"} {
		b, err := os.ReadFile(filepath.Join(from.dir, name))
		if err != nil {
			v.t.Fatal(err)
		}
		v.write(name, b)
	}
	v.forget()
}

func (v *victim) command() *exec.Cmd {
	cmd := exec.Command("flotobuild", "apply", "-auto-approve", "-progress=plain")
	cmd.Dir = v.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + v.state, "XDG_STATE_HOME=" + v.state,
		"FLOTOBUILD_RUNC=" + surroundings(v.t, "FLOTOBUILD_TEST_RUNC"),
		fmt.Sprint("SOURCE_DATE_EPOCH=", 1_700_000_000+v.round),
		"GIT_CEILING_DIRECTORIES=" + filepath.Dir(v.dir),
	}
	log, err := os.Create(v.log)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { log.Close() })
	cmd.Stdout, cmd.Stderr = log, log
	return cmd
}

// succeed applies undisturbed.
func (v *victim) succeed() {
	v.t.Helper()
	begun := time.Now()
	if err := v.command().Run(); err != nil {
		v.t.Fatalf("apply: %v\n%s", err, v.output())
	}
	v.took = time.Since(begun)
}

// checkPublished verifies every patch that is to be seen. At the end there must
// be one for each site, and nothing else.
func (v *victim) checkPublished(when string, all bool) {
	v.t.Helper()
	files := v.glob("*.zip")
	for _, f := range files {
		r, err := patch.Open(f)
		if err != nil {
			v.t.Fatalf("%s: %v", when, err)
		}
		if _, err := patch.Verify(context.Background(), r, patch.VerifyOptions{}); err != nil {
			v.t.Errorf("%s: %s: %v", when, f, err)
		}
		r.Close()
	}
	entries, _ := os.ReadDir(filepath.Join(v.dir, "dist"))
	if all && (len(files) != victimSites || len(entries) != victimSites) {
		v.t.Errorf("%s: dist has %v; want %d patches", when, entries, victimSites)
	}
}

// same compares the patches of two victims: all their entries, save for the
// records that serve as build cache. Those tell how an image came about, and so
// whether some of it was built before.
func (v *victim) same(want *victim) {
	v.t.Helper()
	for _, f := range want.glob("*") {
		a, b := v.entries(f), v.entries(filepath.Join(v.dir, "dist", filepath.Base(f)))
		for _, e := range slices.Concat(a, b) {
			if !slices.Contains(a, e) || !slices.Contains(b, e) {
				v.t.Errorf("%s: %v is not as in the patch of an apply that nobody disturbed", filepath.Base(f), e)
			}
		}
	}
}

func (v *victim) entries(file string) []patch.Content {
	v.t.Helper()
	p, err := patch.Open(file)
	if err != nil {
		v.t.Fatal(err)
	}
	defer p.Close()
	cache := make(map[string]bool)
	for _, i := range slices.Concat(p.Description.Flotobuild.Images, p.Description.Flotobuild.Bases) {
		for _, c := range i.Cache {
			cache[patch.BlobEntry(c.Digest)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(p.Description.Flotobuild.Contents), func(c patch.Content) bool { return cache[c.Path] })
}

func (v *victim) engineDir() string { return filepath.Join(v.state, "flotobuild", "engine") }

func (v *victim) killEngine() {
	r, err := engine.ReadRecord(v.engineDir())
	if err != nil {
		return // it is not yet running
	}
	// The pid could be a stranger's had the engine ended by itself meanwhile.
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.PID)); err == nil && strings.Contains(string(b), v.engineDir()) {
		_ = syscall.Kill(r.PID, syscall.SIGKILL)
	}
}

// clean finds containers and temporary files that stayed behind a finished
// apply.
func (v *victim) clean() {
	v.t.Helper()
	if b := v.bundles(); len(b) > 0 {
		v.t.Errorf("containers stayed behind: %v", b)
	}
	if len(mounts(v.engineDir(), "executor")) > 0 {
		v.t.Errorf("mounts of containers stayed behind: %v", mounts(v.engineDir(), "executor"))
	}
	err := filepath.WalkDir(v.dir, func(name string, _ os.DirEntry, err error) error {
		if strings.HasPrefix(filepath.Base(name), ".flotobuild-tmp-") {
			v.t.Errorf("%s stayed behind", name)
		}
		return err
	})
	if err != nil {
		v.t.Error(err)
	}
}

// stopped ends the engine and finds whatever should have ended with it.
func (v *victim) stopped() {
	v.t.Helper()
	if err := endEngine(v.state); err != nil {
		v.t.Error(err)
	}
	// It sweeps what killed ones left when it starts.
	if m := mounts(v.state, ""); len(m) > 0 {
		v.t.Errorf("mounts stayed behind: %v", m)
	}
	procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range procs {
		if b, err := os.ReadFile(p); err == nil && bytes.Contains(b, []byte(v.state)) {
			v.t.Errorf("a process stayed behind: %s %q", p, b)
		}
	}
}

// mounts lists those below a folder whose path has a word in it.
func mounts(dir, word string) []string {
	b, _ := os.ReadFile("/proc/self/mountinfo")
	var out []string
	for _, line := range strings.Split(string(b), "\n") {
		if w := strings.Fields(line); len(w) > 4 && strings.HasPrefix(w[4], dir+"/") && strings.Contains(w[4], word) {
			out = append(out, w[4])
		}
	}
	return out
}
