package patch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/patch/media"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// A File is a patch file of a folder.
type File struct {
	Path string
	Size int64 // bytes, as it is stored
	// Header is nil where Err says why the file cannot be read.
	Header *Header
	Err    error
}

// List is that of an Opener without keys.
func List(dir string) ([]File, error) { return Opener{}.List(dir) }

// List gives the patch files in dir, by site and then the newest first; those
// that cannot be read come last, among them encrypted ones without a key. Only
// the beginning of each is read, and nothing but the description is checked.
// Volumes are one file, whose path is that of the first one; they are left out
// where the joined file stands beside them. A folder that does not exist has
// none.
func (o Opener) List(dir string) ([]File, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list patches: %w", err)
	}
	var files []File
	read := make(map[string]bool)
	for _, e := range entries {
		whole := volume.TrimName(e.Name())
		if !HasExtension(whole) || strings.HasPrefix(whole, ".") || e.IsDir() || read[whole] {
			continue // names are sorted: the joined file comes first, then volume 001
		}
		f := o.readFile(filepath.Join(dir, e.Name()))
		read[whole] = f.Header != nil || whole != e.Name()
		files = append(files, f)
	}
	slices.SortStableFunc(files, compareFiles)
	return files, nil
}

func (o Opener) readFile(path string) File {
	f := File{Path: path}
	f.Header, f.Size, f.Err = o.header(path)
	if f.Err != nil {
		f.Err = fmt.Errorf("%q: %w", path, f.Err)
	}
	return f
}

// Header reads what the file at path says it is, from its beginning alone. It
// is there also when the rest is not, such as volumes that are missing.
func (o Opener) Header(path string) (*Header, error) {
	h, _, err := o.header(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read patch %q: %w", path, err)
	}
	return h, nil
}

// header gives what a file says it is, and the bytes that it takes.
func (o Opener) header(path string) (*Header, int64, error) {
	m, err := media.Open(path, media.Options(o))
	if err != nil {
		return nil, 0, err
	}
	defer m.Close()
	h, err := beginning(m)
	err = m.Retry(context.Background(), err, func() (err error) {
		h, err = beginning(m)
		return err
	})
	if err != nil {
		return nil, m.Stored, err
	}
	return h, m.Stored, nil
}

func beginning(m *media.Media) (*Header, error) {
	h, err := ReadHeader(io.NewSectionReader(m, 0, m.Size))
	if err != nil {
		return nil, err
	}
	return h, h.Description.Check()
}

func compareFiles(a, b File) int {
	if a.Header == nil || b.Header == nil {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.Path, b.Path))
	}
	x, y := a.Header.Description, b.Header.Description
	return cmp.Or(strings.Compare(x.SiteName, y.SiteName), -Older(x, y), strings.Compare(a.Path, b.Path))
}

func rank(f File) int {
	if f.Header == nil {
		return 1
	}
	return 0
}

// Older orders patches by creation date, and by id where it is the same:
// negative when a is older than b.
func Older(a, b *Description) int {
	return cmp.Or(a.CreationDate.Compare(b.CreationDate.Time), strings.Compare(a.ID, b.ID))
}

// Latest gives the newest readable patch of a site, or nil.
func Latest(files []File, site string) *File {
	var best *File
	for i, f := range files {
		if f.Header == nil || f.Header.Description.SiteName != site {
			continue
		}
		if best == nil || Older(best.Header.Description, f.Header.Description) < 0 {
			best = &files[i]
		}
	}
	return best
}
