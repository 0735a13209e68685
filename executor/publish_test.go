//go:build linux

package executor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/executor"
)

// twoSites is a project of two sites that write to a folder, and whose patches
// have about 600 kB each.
func twoSites(t *testing.T, output string) *project {
	data := make([]byte, 600_000)
	rand.NewChaCha8([32]byte{}).Read(data)
	hcl := "image_set \"plant\" {\n  image \"app\" { context = \"app\" }\n}\n" +
		"root_definition \"plant\" {\n  file       = \"plant.root.hcl\"\n  image_sets = [image_set.plant]\n  conf {\n    exclude = [\"app/**\"]\n  }\n}\n"
	for _, s := range []string{"north", "south"} {
		hcl += fmt.Sprintf("site %q {\n  root_definition = root_definition.plant\n  patch {\n    version = \"1.0.0\"\n    output = %q\n    allow_outside = true\n  }\n}\n", s, output)
	}
	return newProject(t, map[string]string{
		"plant.floto.hcl": hcl, "plant.root.hcl": rootHCL,
		"app/Dockerfile": "FROM scratch\nCOPY data /\n", "app/data": string(data), "notes.txt": "one",
	})
}

func nothingIn(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil && !os.IsNotExist(err) || len(entries) > 0 {
		t.Errorf("%s holds %v, %v", dir, entries, err)
	}
}

// failing applies and returns the error, which must have all the words.
func (p *project) failing(t *testing.T, opts executor.Options, words ...string) error {
	t.Helper()
	_, err := executor.Apply(t.Context(), p.plan(), opts)
	if err == nil {
		t.Fatal("apply succeeds")
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error lacks %q: %v", w, err)
		}
	}
	return err
}

// Two projects may share an output folder, and by mistake a site: the second
// one must not publish beside the patch of the first.
func TestPatchOfAnotherApplyEndsThisOne(t *testing.T) {
	output := filepath.Join(t.TempDir(), "out")
	mine, other := twoSites(t, output), twoSites(t, output)
	opts := mine.options()
	opts.Recheck = func(ctx context.Context) error {
		_, err := executor.Apply(ctx, other.plan(), other.options())
		return err
	}
	mine.failing(t, opts, `site "north"`, `site "south"`, "another apply has written the patch", "plan again")
	files, _ := filepath.Glob(filepath.Join(output, "*"))
	if entries, _ := os.ReadDir(output); len(files) != 2 || len(entries) != 2 {
		t.Errorf("the folder has %v; want the two patches of the other project", entries)
	}
	if _, err := executor.Apply(t.Context(), mine.plan(), mine.options()); err != nil {
		t.Errorf("a plan against the other's patches: %v", err)
	}
}

// A patch in many volumes is one patch, and told once.
func TestVolumesOfAnotherApplyAreToldOnce(t *testing.T) {
	output := filepath.Join(t.TempDir(), "out")
	mine, other := twoSites(t, output), twoSites(t, output)
	opts := mine.options()
	opts.Recheck = func(ctx context.Context) error {
		p := other.plan()
		for _, s := range p.Sites {
			s.Patch.VolumeSize = 200_000
		}
		_, err := executor.Apply(ctx, p, other.options())
		return err
	}
	err := mine.failing(t, opts, `site "north"`, `site "south"`)
	if n := strings.Count(err.Error(), "another apply has written the patch"); n != 2 {
		t.Errorf("%d patches are told; want 2: %v", n, err)
	}
}

// A patch that another project has encrypted cannot be read here, and its name
// says whose it is.
func TestUnreadablePatchOfAnotherApply(t *testing.T) {
	output := filepath.Join(t.TempDir(), "out")
	mine := twoSites(t, output)
	place := func(names ...string) executor.Options {
		opts := mine.options()
		opts.Recheck = func(context.Context) error {
			for _, n := range names {
				if err := os.WriteFile(filepath.Join(output, n), []byte("age-encryption.org/v1\n"), 0o644); err != nil {
					return err
				}
			}
			return os.MkdirAll(output, 0o755)
		}
		return opts
	}
	if err := os.MkdirAll(output, 0o755); err != nil {
		t.Fatal(err)
	}
	const id = "2030-01-01T00-00-00.000Z-other-1.0.0."
	err := mine.failing(t, place(id+"south.floto-patch.zip.age", id+"south.floto-patch.zip.age.001", id+"west.floto-patch.zip.age"),
		`site "south"`, `another apply has written the patch "`+id+`south" meanwhile`)
	if n := strings.Count(err.Error(), "another apply"); n != 1 {
		t.Errorf("%d patches are told; want 1: %v", n, err)
	}
	for _, name := range []string{"south.floto-patch.zip.age", "south.floto-patch.zip.age.001", "west.floto-patch.zip.age"} {
		os.Remove(filepath.Join(output, id+name))
	}
	if _, err := executor.Apply(t.Context(), mine.plan(), place(id+"east.floto-patch.zip.age")); err != nil {
		t.Errorf("a patch of another site: %v", err)
	}
}

func TestSpaceIsCheckedForAllSites(t *testing.T) {
	output := t.TempDir()
	if err := unix.Mount("tmpfs", output, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	defer unix.Unmount(output, unix.MNT_DETACH)
	p := twoSites(t, output)
	err := p.failing(t, p.options(), `sites "north", "south"`, "they need 12", "free")
	if !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v", err)
	}
	nothingIn(t, output)
}

// A disk that fills up meanwhile.
func TestFullDiskLeavesNothing(t *testing.T) {
	output := t.TempDir()
	if err := unix.Mount("tmpfs", output, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	defer unix.Unmount(output, unix.MNT_DETACH)
	p := twoSites(t, output)
	opts := p.options()
	filler := filepath.Join(output, "filler")
	opts.Parallelism = 1
	opts.Observe = func(e executor.Event) {
		if e.Type == executor.EventLayer { // the first patch has its layer
			os.WriteFile(filler, make([]byte, 2<<20), 0o644)
		}
	}
	err := p.failing(t, opts, "cannot write the patch", "the patch needs 60", "bytes free")
	if !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v", err)
	}
	os.Remove(filler)
	nothingIn(t, output)
}

func TestVanishedOutputFolder(t *testing.T) {
	output := filepath.Join(t.TempDir(), "out")
	p := twoSites(t, output)
	opts := p.options()
	opts.Observe = func(e executor.Event) {
		if e.Type == executor.EventLayer {
			os.RemoveAll(output)
		}
	}
	p.failing(t, opts, output)
	nothingIn(t, output)
}

// A file that changed is named with all the sites that have it.
func TestWriteFailureNamesEachSite(t *testing.T) {
	output := filepath.Join(t.TempDir(), "out")
	p := twoSites(t, output)
	opts := p.options()
	opts.Recheck = func(context.Context) error {
		return os.WriteFile(filepath.Join(p.dir, "notes.txt"), []byte("two"), 0o644)
	}
	p.failing(t, opts, `cannot write the patches of sites "north", "south"`, "conf/notes.txt", "plan again")
	nothingIn(t, output)
}

// What a killed apply left is swept, also where the sites lack nothing.
func TestReadOutputsSweeps(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, ".flotobuild-tmp-x")
	for _, name := range []string{left, filepath.Join(dir, "a.floto-patch.zip")} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := executor.ReadOutputs([]string{dir, dir, filepath.Join(dir, "none")})
	if err != nil || !out[dir]["a.floto-patch.zip"] || len(out[dir]) != 1 {
		t.Errorf("got %v, %v", out, err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("the temporary file: %v", err)
	}
}
