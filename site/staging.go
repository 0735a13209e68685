package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
)

// Names in the staging folder of an import.
const (
	stagedPatch = "patch" // what becomes patches/ID
	stagedBlobs = "blobs" // whole blobs by their digests in hex
	partial     = ".part" // ends the names of those that are being written
)

// large is the size in bytes from which blobs are put on the disk when they are
// whole, and trusted when the import goes on; smaller ones are read again then.
const large = 1 << 20

// A staging is the folder of one import. The lock on it says that the import
// goes on: without it the folder is what an ended one left.
type staging struct {
	dir  string
	lock *os.File
	root *os.Root // of stagedPatch
}

// ErrImporting is the error where another process imports the same patch.
var ErrImporting = errors.New("another process is importing this patch")

// openStaging takes over the staging folder of the patch whose description has
// digest d. The caller holds the writers' lock.
func (s *Site) openStaging(d digest.Digest) (*staging, error) {
	g := &staging{dir: s.path(stagingDir, d.Encoded())}
	lock, err := lockStaging(g.dir, true)
	if err != nil {
		return nil, err
	}
	g.lock = lock
	if err := g.prepare(); err != nil {
		return nil, errors.Join(err, g.close())
	}
	return g, nil
}

// lockStaging locks a staging folder, which it makes where there is none. What
// an import removes that ends at the same time is made anew.
func lockStaging(dir string, make bool) (*os.File, error) {
	for {
		if err := os.Mkdir(dir, 0o777); make && err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		f, err := os.Open(dir)
		if errors.Is(err, fs.ErrNotExist) && make {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := flock(f, unix.LOCK_EX|unix.LOCK_NB); err != nil {
			asked := errors.Is(err, unix.EWOULDBLOCK) && !held(f)
			f.Close()
			if asked { // by Status, which lets go at once
				time.Sleep(time.Millisecond)
				continue
			}
			if errors.Is(err, unix.EWOULDBLOCK) {
				err = ErrImporting
			}
			return nil, err
		}
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err == nil && st.Nlink > 0 {
			return f, nil
		}
		f.Close()
	}
}

// prepare empties the folder but for whole blobs.
func (g *staging) prepare() error {
	if err := os.RemoveAll(g.path(stagedPatch)); err != nil {
		return err
	}
	for _, name := range []string{stagedPatch, stagedBlobs} {
		if err := os.MkdirAll(g.path(name), 0o777); err != nil {
			return err
		}
	}
	var err error
	g.root, err = os.OpenRoot(g.path(stagedPatch))
	return err
}

func (g *staging) path(elem ...string) string {
	return filepath.Join(append([]string{g.dir}, elem...)...)
}

func (g *staging) blobPath(d digest.Digest) string { return g.path(stagedBlobs, d.Encoded()) }

// close ends the import and leaves the folder, so that another can go on.
func (g *staging) close() error {
	var err error
	if g.root != nil {
		err = g.root.Close()
	}
	return errors.Join(err, g.lock.Close())
}

// remove ends the import and removes the folder.
func (g *staging) remove() error { return errors.Join(os.RemoveAll(g.dir), g.close()) }

// keep finds the blobs that an earlier import has left, as far as they are
// wanted, and removes everything else.
func (g *staging) keep(ctx context.Context, wanted map[digest.Digest]need) (map[digest.Digest]bool, error) {
	entries, err := os.ReadDir(g.path(stagedBlobs))
	if err != nil {
		return nil, err
	}
	kept := make(map[digest.Digest]bool)
	for _, e := range entries {
		d := digest.NewDigestFromEncoded(digest.SHA256, e.Name())
		n, ok := wanted[d]
		if ok {
			ok, err = g.whole(ctx, n)
		}
		if err != nil {
			return nil, err
		}
		if ok {
			kept[d] = true
		} else if err := os.Remove(g.path(stagedBlobs, e.Name())); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// whole says whether a staged blob can be trusted.
func (g *staging) whole(ctx context.Context, n need) (bool, error) {
	f, err := os.Open(g.blobPath(n.Digest))
	if err != nil {
		return false, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() != n.Size {
		return false, err
	}
	if n.Size >= large {
		return true, nil
	}
	_, err = verify.Copy(ctx, io.Discard, verify.NewReader(f, fmt.Sprintf("blob %q", n.Digest), n.Size, n.Digest))
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return err == nil, nil
}

// write stages a blob, which gets its name with settle. r checks the content.
func (g *staging) write(ctx context.Context, n need, r io.Reader) error {
	f, err := os.OpenFile(g.blobPath(n.Digest)+partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o444)
	if err != nil {
		return err
	}
	_, err = verify.Copy(ctx, f, r)
	return errors.Join(err, f.Close())
}

// settle checks the diff id of a staged layer and gives the blob its name.
func (g *staging) settle(ctx context.Context, n need) error {
	name := g.blobPath(n.Digest)
	f, err := os.Open(name + partial)
	if err != nil {
		return err
	}
	defer f.Close()
	if n.DiffID != "" {
		if err := checkDiffID(ctx, n, f); err != nil {
			return err
		}
	}
	if n.Size >= large {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return os.Rename(name+partial, name)
}

// entry writes an entry of the patch that is no blob.
func (g *staging) entry(ctx context.Context, c patch.Content, r io.Reader) error {
	if c.Mode == patch.ModeSymlink {
		target, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if err := patch.CheckLink(c.Path, string(target)); err != nil {
			return err
		}
		if err := g.root.MkdirAll(filepath.Dir(c.Path), 0o777); err != nil {
			return err
		}
		return g.root.Symlink(string(target), c.Path)
	}
	f, err := g.create(c.Path, c.Mode.FileMode().Perm())
	if err != nil {
		return err
	}
	_, err = verify.Copy(ctx, f, r)
	return errors.Join(err, f.Close())
}

func (g *staging) create(name string, perm fs.FileMode) (*os.File, error) {
	if err := g.root.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return nil, err
	}
	return g.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

// put writes a file of the store's own.
func (g *staging) put(name string, b []byte) error {
	f, err := g.create(name, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// sync puts everything on the disk, several files at a time: file systems
// join such requests.
func (g *staging) sync(ctx context.Context) error {
	const atOnce = 16
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	err := filepath.WalkDir(g.dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil || !e.IsDir() && !e.Type().IsRegular() {
			return errors.Join(err, context.Cause(ctx))
		}
		group.Go(func() error { return syncFile(name, e.IsDir()) })
		return nil
	})
	return errors.Join(err, group.Wait())
}

func syncFile(name string, dir bool) error {
	if dir {
		return syncDir(name)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// publish moves the blobs into the store and, at last, the patch.
func (g *staging) publish(s *Site, id string) error {
	entries, err := os.ReadDir(g.path(stagedBlobs))
	if err != nil {
		return err
	}
	blobs := s.path(ocispec.ImageBlobsDir, string(digest.SHA256))
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), partial) {
			return fmt.Errorf("blob %q was not checked", e.Name())
		}
		if err := os.Rename(g.path(stagedBlobs, e.Name()), filepath.Join(blobs, e.Name())); err != nil {
			return err
		}
	}
	if err := syncDir(blobs); err != nil || id == "" {
		return err
	}
	if err := os.Rename(g.path(stagedPatch), s.path(patchesDir, id)); err != nil {
		return err
	}
	return syncDir(s.path(patchesDir))
}
