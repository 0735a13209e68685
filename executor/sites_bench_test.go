//go:build linux

package executor_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/executor"
)

// BenchmarkApplySites applies 50 sites that share 20 images, which the engine
// has built already: 50 patches are written. For comparison it copies the same
// files with cp; both put them on the disk.
func BenchmarkApplySites(b *testing.B) {
	const sites, images, layer = 50, 20, 2 << 20
	p := newProject(b, sharedImages(sites, images, layer))
	apply := func() *executor.Result {
		if err := os.RemoveAll(filepath.Join(p.dir, "dist")); err != nil {
			b.Fatal(err)
		}
		res, err := executor.Apply(b.Context(), p.plan(), p.options())
		if err != nil {
			b.Fatal(err)
		}
		if len(res.Images) != images || len(res.Sites) != sites {
			b.Fatalf("%d images and %d sites; want %d and %d", len(res.Images), len(res.Sites), images, sites)
		}
		return res
	}
	var size int64
	for _, s := range apply().Sites {
		size += s.Size
	}
	b.SetBytes(size)
	var copying time.Duration
	for b.Loop() {
		apply()
		b.StopTimer()
		if fetched := p.bytes.in.Load(); fetched > 2*images*layer {
			b.Fatalf("%d bytes came from the engine; the layers have %d", fetched, images*layer)
		}
		files, err := filepath.Glob(filepath.Join(p.dir, "dist", "*"))
		if err != nil {
			b.Fatal(err)
		}
		copying += copyFiles(b, files)
		b.StartTimer()
	}
	b.ReportMetric(float64(size)*float64(b.N)/copying.Seconds()/1e6, "cp-MB/s")
	b.ReportMetric(float64(b.Elapsed())/float64(copying), "times-cp")
}

// copyFiles copies files with cp, onto the disk, and tells how long that took.
func copyFiles(b *testing.B, files []string) time.Duration {
	b.Helper()
	dir := b.TempDir()
	begun := time.Now()
	for _, args := range [][]string{append([]string{"cp", "--target-directory=" + dir}, files...), {"sync", "--file-system", dir}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			b.Fatalf("%s: %v: %s", args[0], err, out)
		}
	}
	took := time.Since(begun)
	if err := os.RemoveAll(dir); err != nil {
		b.Fatal(err)
	}
	return took
}

// sharedImages are the files of a project whose sites all have the same images,
// each with a layer that does not compress.
func sharedImages(sites, images, layer int) map[string]string {
	src := rand.NewChaCha8([32]byte{1})
	files := make(map[string]string)
	var set, root strings.Builder
	set.WriteString("image_set \"plant\" {\n")
	root.WriteString("host \"edge\" { address = \"127.0.0.1\" }\n")
	for n := range images {
		data := make([]byte, layer)
		src.Read(data)
		name := fmt.Sprintf("i%d", n)
		files[name+"/Dockerfile"], files[name+"/data"] = "FROM scratch\nCOPY data /data\n", string(data)
		fmt.Fprintf(&set, "  image %q { context = %q }\n", name, name)
		fmt.Fprintf(&root, "container %q {\n  image = %q\n  host  = \"edge\"\n}\n", name, name)
	}
	set.WriteString("}\nroot_definition \"plant\" {\n  file       = \"plant.root.hcl\"\n  image_sets = [image_set.plant]\n  conf {\n    exclude = [\"i*/**\"]\n  }\n}\n")
	for n := range sites {
		fmt.Fprintf(&set, "site \"s%d\" {\n  root_definition = root_definition.plant\n  patch { version = \"1.0.0\" }\n}\n", n)
	}
	files["plant.floto.hcl"], files["plant.root.hcl"] = set.String(), root.String()
	return files
}
