package patch

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// benchBytes is how much the benchmarks of whole patches write: the variable
// FLOTOBUILD_BENCH_BYTES, or 256 MiB.
func benchBytes(b *testing.B) int64 {
	n, err := strconv.ParseInt(os.Getenv("FLOTOBUILD_BENCH_BYTES"), 10, 64)
	if os.Getenv("FLOTOBUILD_BENCH_BYTES") == "" {
		n, err = 256<<20, nil
	}
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// stocked gives a site whose layers, four of them, lie in a store as
// uncompressed blobs of noise.
func stocked(b *testing.B) (*store.Store, *Description, []string) {
	s := newSite(b)
	st, err := store.Create(filepath.Join(b.TempDir(), "store"))
	if err != nil {
		b.Fatal(err)
	}
	var layers []Layer
	var files []string
	for n := range 4 {
		w, err := st.Writer()
		if err != nil {
			b.Fatal(err)
		}
		noise := io.LimitReader(&noise{rand.NewPCG(1, uint64(n))}, benchBytes(b)/4)
		if _, err := io.CopyBuffer(struct{ io.Writer }{w}, noise, make([]byte, 1<<20)); err != nil {
			b.Fatal(err)
		}
		d, err := w.Commit()
		if err != nil {
			b.Fatal(err)
		}
		layers = append(layers, Layer{DiffID: d.Digest, Digest: d.Digest, MediaType: ocispec.MediaTypeImageLayer, Size: d.Size})
		files = append(files, filepath.Join(st.Dir(), "blobs", "sha256", d.Digest.Encoded()))
	}
	d := s.describe(1, []Image{s.image("control", layers...)})
	for _, blob := range s.blobs {
		if err := st.Put(b.Context(), store.Describe("", blob), bytes.NewReader(blob)); err != nil {
			b.Fatal(err)
		}
	}
	for name, text := range s.conf {
		if err := st.Put(b.Context(), store.Describe("", []byte(text)), bytes.NewReader([]byte(text))); err != nil {
			b.Fatal(name, err)
		}
	}
	return st, d, files
}

type noise struct{ *rand.PCG }

func (n *noise) Read(p []byte) (int, error) {
	for i := 0; i+8 <= len(p); i += 8 {
		binary.LittleEndian.PutUint64(p[i:], n.Uint64())
	}
	return len(p), nil
}

// writePatch writes the patch from the store, up to its name.
func writePatch(b *testing.B, dir string, st *store.Store, d *Description) string {
	w, err := Create(dir, d)
	if err != nil {
		b.Fatal(err)
	}
	defer w.Abort()
	err = w.AddAll(b.Context(), func(ctx context.Context, c Content) (io.ReadCloser, error) {
		blob, err := st.Blob(ctx, digest.NewDigestFromEncoded(digest.SHA256, c.SHA256))
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(blob, 0, blob.Size()), blob}, nil
	})
	if err == nil {
		err = w.Publish()
	}
	if err != nil {
		b.Fatal(err)
	}
	return w.Path()
}

// BenchmarkFile compares writing and verifying a patch whose layers are at hand
// with tools that do less, on the same bytes in the same run. All that write
// wait for the disk in the end: a patch is fsynced before it gets its name.
func BenchmarkFile(b *testing.B) {
	st, d, layers := stocked(b)
	run := func(b *testing.B, name string, args ...string) {
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			b.Skipf("%s: %v: %s", name, err, out)
		}
	}
	path := writePatch(b, b.TempDir(), st, d)
	measure := func(name string, do func(b *testing.B, dir string)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(benchBytes(b))
			for b.Loop() {
				b.StopTimer()
				dir := b.TempDir()
				b.StartTimer()
				do(b, dir)
				b.StopTimer()
				os.RemoveAll(dir)
				b.StartTimer()
			}
		})
	}
	measure("write-cp", func(b *testing.B, dir string) {
		run(b, "cp", append(layers, dir)...)
		run(b, "sync", dir+"/"+filepath.Base(layers[0]), dir+"/"+filepath.Base(layers[1]), dir+"/"+filepath.Base(layers[2]), dir+"/"+filepath.Base(layers[3]))
	})
	measure("write-patch", func(b *testing.B, dir string) { writePatch(b, dir, st, d) })
	measure("write-zip-0", func(b *testing.B, dir string) {
		run(b, "zip", append([]string{"-0q", filepath.Join(dir, "z.zip")}, layers...)...)
		run(b, "sync", filepath.Join(dir, "z.zip"))
	})
	measure("verify-sha256sum", func(b *testing.B, _ string) { run(b, "sha256sum", layers...) })
	verifyOn := func(cores int) func(b *testing.B, _ string) {
		return func(b *testing.B, _ string) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			p, err := Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			if _, err := Verify(b.Context(), p, VerifyOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	measure("verify-patch-1-core", verifyOn(1))
	measure("verify-patch-2-cores", verifyOn(2))
}
