package facts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/flotobuild/flotobuild/internal/regular"
)

// File implements planner.Facts.
func (w *Workspace) File(ctx context.Context, name string) (digest.Digest, int64, error) {
	path := w.path(name)
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, fmt.Errorf("cannot read %q: %w", name, bare(err))
	}
	if !info.Mode().IsRegular() {
		return "", 0, fmt.Errorf("cannot read %q: it is no regular file", name)
	}
	f := &hashed{path: path, info: info}
	if err := w.hash(ctx, []*hashed{f}); err != nil {
		return "", 0, err
	}
	return f.digest, f.size, nil
}

// bare removes the path that os put before an error, as messages name files
// the way the configuration does.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// hashed is a regular file whose digest is wanted.
type hashed struct {
	path string
	info fs.FileInfo

	digest digest.Digest
	size   int64 // bytes that the digest covers
}

// hash fills in digests: from the cache, else by reading files in parallel.
func (w *Workspace) hash(ctx context.Context, files []*hashed) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2 * runtime.GOMAXPROCS(0))
	for _, f := range files {
		if s, ok := stamped(f.info); ok {
			if d, ok := w.cache.get(f.path, s); ok {
				f.digest, f.size = d, s.size
				continue
			}
		}
		g.Go(func() error { return w.read(ctx, f) })
	}
	return g.Wait()
}

const maxBuffer = 256 << 10

// read hashes a file and keeps the digest where the file stood still.
func (w *Workspace) read(ctx context.Context, f *hashed) error {
	opened := time.Now()
	file, before, err := regular.Open(f.path)
	if errors.Is(err, regular.ErrNot) {
		return fmt.Errorf("cannot read file %q: it is no regular file any more", f.path)
	}
	if err != nil {
		return fmt.Errorf("cannot read file: %w", err)
	}
	defer file.Close()
	h := sha256.New()
	// Most files are small: io.Copy's own buffer would cost more than they do.
	buffer := make([]byte, min(max(before.Size()+1, 512), maxBuffer))
	n, err := io.CopyBuffer(h, &interruptible{ctx, file}, buffer)
	if err != nil {
		return fmt.Errorf("cannot read file %q: %w", f.path, bare(err))
	}
	f.digest, f.size = digest.NewDigest(digest.SHA256, h), n
	w.keep(f, before, file, opened)
	return nil
}

func (w *Workspace) keep(f *hashed, before fs.FileInfo, file *os.File, opened time.Time) {
	after, err := file.Stat()
	if err != nil {
		return
	}
	s, ok := stamped(before)
	t, _ := stamped(after)
	if ok && s == t && s.size == f.size {
		w.cache.put(f.path, s, f.digest, opened)
	}
}

// interruptible is a reader that ends with its context.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}
