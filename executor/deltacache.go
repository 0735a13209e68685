package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// deltaAge is how long a delta is kept that nobody asks for.
const deltaAge = 30 * 24 * time.Hour

// A deltaCache is a folder of deltas that were made before: KEY is the delta,
// and KEY.json says what it is, also where a layer travels whole. All of it can
// be made again.
type deltaCache struct{ dir string }

// A keptDelta is how a layer travels. Transport is nil for one that travels
// whole.
type keptDelta struct {
	Transport *patch.LayerTransport `json:"transport,omitempty"`
	Size      int64                 `json:"size,omitempty"` // bytes of the delta
	// NoRecipe says that nothing makes the layer's blob again, with any bases.
	NoRecipe bool          `json:"noRecipe,omitempty"`
	Sum      digest.Digest `json:"sum"` // of all that without it
	// Against is what it was compared with.
	Against []digest.Digest `json:"-"`
}

// improvable says that a layer may be worth comparing with more bases: the delta
// has more than half of its bytes.
func (k keptDelta) improvable(l patch.Layer) bool {
	return !k.NoRecipe && (k.Transport == nil || k.Size > l.Size/2)
}

// sum is what Sum should be.
func (k keptDelta) sum() digest.Digest {
	k.Sum = ""
	b, _ := json.Marshal(k) // never fails
	return digest.FromBytes(b)
}

// deltaKey stands for all that a delta follows from.
func deltaKey(l patch.Layer, bases []digest.Digest, memory int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %d %s %s\n", delta.Version, memory, l.DiffID, l.Digest)
	for _, id := range bases {
		fmt.Fprintln(&b, id)
	}
	return digest.FromString(b.String()).Encoded()
}

// find gives what was kept. What is damaged is as good as not there.
func (c deltaCache) find(key string) (keptDelta, bool) {
	var k keptDelta
	name := filepath.Join(c.dir, key)
	b, err := os.ReadFile(name + ".json")
	if err != nil || json.Unmarshal(b, &k) != nil || k.Sum != k.sum() {
		return keptDelta{}, false
	}
	files := []string{name + ".json"}
	if t := k.Transport; t != nil {
		f, err := os.Open(name)
		if err != nil || t.Delta == nil {
			return keptDelta{}, false
		}
		defer f.Close()
		r := verify.NewReader(f, fmt.Sprintf("%q", name), k.Size, t.Delta.Digest)
		if _, err := io.Copy(io.Discard, r); err != nil {
			return keptDelta{}, false
		}
		files = append(files, name)
	}
	for _, f := range files {
		_ = os.Chtimes(f, time.Time{}, time.Now()) // else it is made again some day
	}
	return k, true
}

// keep notes how a layer travels.
func (c deltaCache) keep(key string, k keptDelta) error {
	k.Sum = k.sum()
	b, err := json.Marshal(k)
	if err == nil {
		err = os.MkdirAll(c.dir, 0o777)
	}
	if err == nil {
		err = atomicfile.WriteFile(filepath.Join(c.dir, key+".json"), b, 0o666)
	}
	return err
}

// errLarger ends a delta that is no smaller than the layer's blob.
var errLarger = errors.New("the delta is larger than the layer")

// make keeps the delta that create writes, unless the layer's blob is smaller.
func (c deltaCache) make(key string, l patch.Layer, form []byte, create func(io.Writer) (*delta.Info, error)) (keptDelta, error) {
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		return keptDelta{}, err
	}
	f, err := atomicfile.Create(c.dir, 0o666)
	if err != nil {
		return keptDelta{}, err
	}
	defer f.Abort()
	hash := digest.SHA256.Digester()
	info, err := create(&atMost{io.MultiWriter(f, hash.Hash()), l.Size - int64(len(form)) - 1})
	if errors.Is(err, errLarger) {
		return keptDelta{}, c.keep(key, keptDelta{})
	}
	if err != nil {
		return keptDelta{}, err
	}
	t := &patch.LayerTransport{DiffID: l.DiffID, Kind: patch.TransportDelta, Delta: &patch.LayerDelta{
		Digest: hash.Digest(), Blob: l.Digest, Size: info.Target.Size, Recipe: form,
	}}
	for _, b := range info.Bases {
		t.Bases, t.Delta.BaseSize = append(t.Bases, b.Digest), t.Delta.BaseSize+b.Size
	}
	if err := f.Replace(filepath.Join(c.dir, key)); err != nil {
		return keptDelta{}, err
	}
	k := keptDelta{Transport: t, Size: info.Size}
	return k, c.keep(key, k)
}

// atMost takes no more than left bytes.
type atMost struct {
	w    io.Writer
	left int64
}

// Write implements io.Writer.
func (a *atMost) Write(p []byte) (int, error) {
	if a.left -= int64(len(p)); a.left < 0 {
		return 0, errLarger
	}
	return a.w.Write(p)
}

// sweep removes what nobody has asked for in a long time, and what killed
// processes left.
func (c deltaCache) sweep() {
	_, _ = atomicfile.Sweep(c.dir) // it is tried again
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if st, err := e.Info(); err == nil && st.Mode().IsRegular() && time.Since(st.ModTime()) > deltaAge {
			_ = os.Remove(filepath.Join(c.dir, e.Name())) // it is tried again
		}
	}
}

// entry is the source of one delta.
func (c deltaCache) entry(key string) store.Source { return fileSource(filepath.Join(c.dir, key)) }

// A fileSource is a file that is a blob.
type fileSource string

// Blob implements store.Source.
func (s fileSource) Blob(context.Context, digest.Digest) (store.Blob, error) {
	f, err := os.Open(string(s))
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return sizedFile{f, st.Size()}, nil
}

type sizedFile struct {
	*os.File
	size int64
}

// Size implements store.Blob.
func (f sizedFile) Size() int64 { return f.size }

// A fetchedBlob is the content of a blob in a file without a name. It is its own
// source, and stays open until the run ends.
type fetchedBlob struct {
	digest digest.Digest
	f      *os.File
	size   int64
}

// fetchFile fetches a layer's blob and checks it.
func fetchFile(ctx context.Context, dir string, l patch.Layer, r io.Reader) (*fetchedBlob, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, atomicfile.Prefix+"*")
	if err != nil {
		return nil, err
	}
	err = os.Remove(f.Name())
	if err == nil || errors.Is(err, fs.ErrNotExist) { // another run has swept the folder
		_, err = verify.Copy(ctx, f, verify.NewReader(r, fmt.Sprintf("blob %q", l.Digest), l.Size, l.Digest))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &fetchedBlob{digest: l.Digest, f: f, size: l.Size}, nil
}

// Blob implements store.Source.
func (b *fetchedBlob) Blob(context.Context, digest.Digest) (store.Blob, error) { return b, nil }

// ReadAt implements io.ReaderAt.
func (b *fetchedBlob) ReadAt(p []byte, off int64) (int, error) { return b.f.ReadAt(p, off) }

// Size implements store.Blob.
func (b *fetchedBlob) Size() int64 { return b.size }

// Close does nothing: others read the file, too.
func (b *fetchedBlob) Close() error { return nil }
