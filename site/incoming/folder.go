package incoming

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// A Folder is the folder of one site. It is safe for concurrent use within one
// process; an upload is appended to by one at a time, over processes too.
type Folder struct {
	dir string

	mu   sync.Mutex
	busy map[string]bool // ids of uploads that something is appended to
}

// Errors that callers tell apart.
var (
	ErrUnknown = errors.New("there is no such upload")
	ErrBusy    = errors.New("something else is being done with the upload")
	ErrExists  = errors.New("a file of this name is there already")
	ErrOffset  = errors.New("the upload is not at this offset")
	ErrName    = errors.New("this is no name of a patch file")
	ErrLong    = errors.New("more comes than was announced")
	ErrSpace   = errors.New("there is not enough space on the disk")
)

// Open makes the folder where there is none, and removes uploads that nobody has
// gone on with for longer than keep.
func Open(dir string, keep time.Duration) (*Folder, error) {
	f := &Folder{dir: dir, busy: make(map[string]bool)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder for incoming files: %w", err)
	}
	if _, err := atomicfile.Sweep(dir); err != nil {
		return nil, fmt.Errorf("cannot clean the folder for incoming files: %w", err)
	}
	return f, f.expire(keep)
}

// orphanTime is how old half of an upload must be to be no one's.
const orphanTime = time.Hour

// expire removes old uploads, and halves of ones. What came to its end just
// before a crash gets its name: the sender sees it whole, and sends no more.
func (f *Folder) expire(keep time.Duration) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("cannot read the folder for incoming files: %w", err)
	}
	for _, e := range entries {
		id, part := strings.CutSuffix(e.Name(), partSuffix)
		if !part {
			id = strings.TrimSuffix(e.Name(), infoSuffix)
		}
		if id = strings.TrimPrefix(id, "."); !validID.MatchString(id) {
			continue
		}
		u, err := f.Upload(id)
		switch {
		case errors.Is(err, ErrUnknown) && old(e, orphanTime), err == nil && time.Since(u.Changed) > keep:
			err = f.delete(id)
		case err == nil && u.Offset == u.Size:
			err = f.complete(u)
		default:
			err = nil // it can go on, or has been dealt with
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// complete ends an upload that has all its bytes. Where a file of its name stands
// already, it stays as it is.
func (f *Folder) complete(u *Upload) error {
	if _, err := f.Append(context.Background(), u.ID, u.Offset, strings.NewReader("")); !errors.Is(err, ErrExists) && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrUnknown) {
		return err
	}
	return nil
}

func old(e fs.DirEntry, than time.Duration) bool {
	info, err := e.Info()
	return err == nil && time.Since(info.ModTime()) > than
}

// Dir is the folder.
func (f *Folder) Dir() string { return f.dir }

// CheckName refuses what is not the name of a patch file, or of a volume of one.
func CheckName(name string) error {
	switch {
	case !patch.HasExtension(name) && !patch.HasExtension(volume.TrimName(name)):
		return fmt.Errorf("%w: %q ends neither with %s nor with %s, and is no volume of such a file", ErrName, name, patch.Extension, patch.EncryptedExtension)
	case strings.HasPrefix(name, "."), strings.ContainsAny(name, `/\`), len(name) > 200, strings.ContainsFunc(name, unprintable):
		return fmt.Errorf("%w: %q begins with a dot, has a slash or something that cannot be seen, or is longer than 200 bytes", ErrName, name)
	}
	return nil
}

func unprintable(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }

// A File is what has arrived: a patch file, or as many of its volumes as are
// there.
type File struct {
	Name    string    `json:"name"` // without the suffix of a volume
	Path    string    `json:"-"`    // what is to be imported: the file, or its first volume here
	Size    int64     `json:"size"` // bytes, of all volumes
	Volumes int       `json:"volumes,omitempty"`
	Changed time.Time `json:"changed"`
	paths   []string
}

// Files lists what has arrived, by name.
func (f *Folder) Files() ([]File, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, fmt.Errorf("cannot list incoming files: %w", err)
	}
	var out []File
	for _, e := range entries { // sorted: volumes stand side by side
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || CheckName(e.Name()) != nil {
			continue // gone since, or nothing to import
		}
		base := volume.TrimName(e.Name())
		n := slices.IndexFunc(out, func(o File) bool { return o.Name == base })
		path := filepath.Join(f.dir, e.Name())
		if n < 0 {
			n = len(out)
			out = append(out, File{Name: base, Path: path})
		}
		o := &out[n]
		if e.Name() == base {
			o.Path = path // the file itself counts, where volumes stand beside it
		} else {
			o.Volumes++
		}
		o.paths, o.Size = append(o.paths, path), o.Size+info.Size()
		if info.ModTime().After(o.Changed) {
			o.Changed = info.ModTime().UTC()
		}
	}
	return out, nil
}

// File finds what has arrived under a name as Files gives it. The error is
// fs.ErrNotExist where nothing has.
func (f *Folder) File(name string) (*File, error) {
	files, err := f.Files()
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if file.Name == name {
			return &file, nil
		}
	}
	return nil, fmt.Errorf("no file %q has arrived: %w", name, fs.ErrNotExist)
}

// Discard removes a file with all its volumes.
func (f *Folder) Discard(file *File) error {
	var errs []error
	for _, path := range file.paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("cannot remove incoming file: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Free is how many bytes the disk still takes.
func (f *Folder) Free() (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(f.dir, &s); err != nil {
		return 0, fmt.Errorf("cannot tell the free space of %q: %w", f.dir, err)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
