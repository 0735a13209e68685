package incoming

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// Suffixes of an upload's files.
const (
	infoSuffix = ".upload"
	partSuffix = ".part"
)

// MaxUploads is how many uploads can be under way.
const MaxUploads = 1000

// maxInfo bounds what describes an upload, in bytes.
const maxInfo = 4 << 10

// validID is the form of the ids of uploads.
var validID = regexp.MustCompile(`^[a-z2-7]{26}$`)

// An Upload is a file on its way.
type Upload struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Size    int64     `json:"size"`   // bytes, of all
	Offset  int64     `json:"offset"` // bytes that have come
	By      string    `json:"by"`
	Changed time.Time `json:"changed"`
}

// Begin makes an upload of size bytes.
func (f *Folder) Begin(name string, size int64, by string) (*Upload, error) {
	if err := f.mayBegin(name, size); err != nil {
		return nil, fmt.Errorf("cannot take %q: %w", name, err)
	}
	u := &Upload{ID: strings.ToLower(rand.Text()), Name: name, Size: size, By: by, Changed: time.Now().UTC()}
	b, err := json.Marshal(u)
	if err != nil {
		return nil, err
	}
	part, err := os.OpenFile(f.path(u.ID, partSuffix), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = part.Close()
	}
	if err == nil {
		err = atomicfile.WriteFile(f.path(u.ID, infoSuffix), b, 0o600)
	}
	if err != nil {
		os.Remove(f.path(u.ID, partSuffix))
		return nil, fmt.Errorf("cannot begin the upload of %q: %w", name, err)
	}
	return u, nil
}

func (f *Folder) mayBegin(name string, size int64) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if size <= 0 {
		return fmt.Errorf("its size is %d", size)
	}
	if _, err := os.Lstat(filepath.Join(f.dir, name)); err == nil {
		return ErrExists
	}
	uploads, err := f.Uploads()
	if err != nil {
		return err
	}
	free, err := f.Free()
	if err != nil {
		return err
	}
	for _, u := range uploads {
		free -= u.Size - u.Offset // which the others will need
	}
	switch {
	case len(uploads) >= MaxUploads:
		return fmt.Errorf("%d uploads are under way already", len(uploads))
	case free < size:
		return fmt.Errorf("%w: it needs %d bytes, and %d are free that no other upload needs", ErrSpace, size, max(free, 0))
	}
	return nil
}

// Uploads lists what is under way, by name.
func (f *Folder) Uploads() ([]Upload, error) {
	names, err := filepath.Glob(f.path("*", infoSuffix))
	if err != nil {
		return nil, err
	}
	var out []Upload
	for _, name := range names {
		id := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "."), infoSuffix)
		u, err := f.Upload(id)
		if errors.Is(err, ErrUnknown) {
			continue // it has ended just now
		}
		if err != nil {
			return nil, err
		}
		out = append(out, *u)
	}
	slices.SortStableFunc(out, func(a, b Upload) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Upload tells how far an upload is.
func (f *Folder) Upload(id string) (*Upload, error) {
	if !validID.MatchString(id) {
		return nil, ErrUnknown
	}
	u, err := f.read(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read upload %q: %w", id, err)
	}
	return u, nil
}

func (f *Folder) read(id string) (*Upload, error) {
	file, err := os.Open(f.path(id, infoSuffix))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	u := new(Upload)
	if err := json.NewDecoder(io.LimitReader(file, maxInfo)).Decode(u); err != nil {
		return nil, err
	}
	info, err := os.Stat(f.path(id, partSuffix))
	if err != nil {
		return nil, err
	}
	u.Offset, u.Changed = info.Size(), info.ModTime().UTC()
	if u.ID != id || CheckName(u.Name) != nil || u.Offset > u.Size {
		return nil, fmt.Errorf("%q does not describe it", f.path(id, infoSuffix))
	}
	return u, nil
}

// Append adds to an upload what r gives, from offset on, where the upload must
// stand. What came before an error stays, and the result says how far the upload
// is; where more comes than was announced, nothing of it stays. The last byte
// makes the file appear under its name.
func (f *Folder) Append(ctx context.Context, id string, offset int64, r io.Reader) (*Upload, error) {
	release, err := f.hold(id)
	if err != nil {
		return nil, err
	}
	defer release()
	u, err := f.Upload(id)
	if err != nil {
		return nil, err
	}
	if u.Offset != offset {
		return u, fmt.Errorf("cannot add to %q at %d: %w, but at %d", u.Name, offset, ErrOffset, u.Offset)
	}
	err = f.append(ctx, u, r)
	if err == nil && u.Offset == u.Size {
		err = f.finish(u)
	}
	if err != nil {
		return u, fmt.Errorf("cannot add to %q: %w", u.Name, err)
	}
	return u, nil
}

func (f *Folder) append(ctx context.Context, u *Upload, r io.Reader) error {
	file, err := os.OpenFile(f.path(u.ID, partSuffix), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	// Another process may serve the same store.
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return ErrBusy
	}
	if info, err := file.Stat(); err != nil {
		return err
	} else if at := info.Size(); at != u.Offset { // by another process, since it was read
		u.Offset = at
		return ErrOffset
	}
	n, err := io.Copy(file, io.LimitReader(&cancelled{ctx, r}, u.Size-u.Offset))
	if err == nil && u.Offset+n == u.Size && !ended(r) {
		return errors.Join(ErrLong, file.Truncate(u.Offset))
	}
	u.Offset += n
	return errors.Join(err, file.Sync())
}

// ended says whether nothing follows.
func ended(r io.Reader) bool {
	n, err := io.ReadFull(r, make([]byte, 1))
	return n == 0 && errors.Is(err, io.EOF)
}

// finish gives the file its name, which is on the disk before the upload is gone.
func (f *Folder) finish(u *Upload) error {
	path, part := filepath.Join(f.dir, u.Name), f.path(u.ID, partSuffix)
	err := os.Link(part, path)
	if errors.Is(err, fs.ErrExist) && !sameFile(part, path) { // the same after a crash
		return ErrExists
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := atomicfile.SyncDir(f.dir); err != nil {
		return err
	}
	return f.delete(u.ID)
}

func sameFile(a, b string) bool {
	x, err := os.Lstat(a)
	if err != nil {
		return false
	}
	y, err := os.Lstat(b)
	return err == nil && os.SameFile(x, y)
}

// Remove gives an upload up.
func (f *Folder) Remove(id string) error {
	if !validID.MatchString(id) {
		return ErrUnknown
	}
	release, err := f.hold(id)
	if err != nil {
		return err
	}
	defer release()
	if _, err := os.Lstat(f.path(id, infoSuffix)); errors.Is(err, fs.ErrNotExist) {
		return ErrUnknown
	}
	return f.delete(id)
}

func (f *Folder) delete(id string) error {
	for _, suffix := range []string{infoSuffix, partSuffix} {
		if err := os.Remove(f.path(id, suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot remove upload: %w", err)
		}
	}
	return nil
}

// hold keeps others in this process from an upload.
func (f *Folder) hold(id string) (release func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy[id] {
		return nil, ErrBusy
	}
	f.busy[id] = true
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.busy, id)
	}, nil
}

func (f *Folder) path(id, suffix string) string { return filepath.Join(f.dir, "."+id+suffix) }

// A cancelled reader ends with its context.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (c *cancelled) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
