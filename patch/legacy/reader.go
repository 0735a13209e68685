package legacy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/patch"
)

// A Reader gives random access to a patch file. It is safe for concurrent use.
type Reader struct {
	Description *Description
	raw         []byte
	size        int64
	files       map[string]*zip.File // without those of folders
	order       []string             // names in the order of the file
	file        io.Closer            // nil when NewReader was given its reader
}

// Open opens the patch file at path. Where the file is something else than a
// patch of floto's own, IsOther tells the error.
func Open(path string) (*Reader, error) {
	f, st, err := regular.Open(path)
	if errors.Is(err, regular.ErrNot) {
		return nil, fmt.Errorf("cannot open patch %q: %w", path, errOther)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open patch: %w", err)
	}
	p, err := newReader(f, st.Size())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot open patch %q of floto: %w", path, err)
	}
	p.file = f
	return p, nil
}

// IsOther tells whether an error of Open or NewReader says that the file is no
// patch of floto's own at all.
func IsOther(err error) bool { return errors.Is(err, errOther) }

// NewReader opens a patch file of size bytes and checks its structure.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	p, err := newReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("cannot open patch of floto: %w", err)
	}
	return p, nil
}

// maxEntries bounds the entries of a file; floto's ZIP writer had this limit.
const maxEntries = 1<<16 - 1

// maxVersion bounds VERSION.txt, in bytes.
const maxVersion = 64

func newReader(r io.ReaderAt, size int64) (*Reader, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, errors.Join(errOther, err)
	}
	p := &Reader{size: size, files: make(map[string]*zip.File, len(z.File))}
	if err := p.identify(z.File); err != nil {
		return nil, err
	}
	if len(z.File) > maxEntries {
		return nil, fmt.Errorf("the file has %d entries, and %d are the limit", len(z.File), maxEntries)
	}
	if err := p.add(z.File); err != nil {
		return nil, err
	}
	return p, checkRecords(r, size, z.File)
}

// identify reads what tells that this is a patch, and one of floto.
func (p *Reader) identify(files []*zip.File) error {
	text, err := leading(files, patch.VersionEntry, maxVersion)
	if err != nil {
		return errors.Join(errOther, err)
	}
	if string(text) != patch.VersionText {
		return errOther
	}
	if p.raw, err = leading(files, patch.DescriptionEntry, patch.MaxDescription); err != nil {
		return errors.Join(errOther, err)
	}
	p.Description, err = decode(p.raw)
	return err
}

// leading reads one of the entries that every patch has.
func leading(files []*zip.File, name string, limit int64) ([]byte, error) {
	n := slices.IndexFunc(files, func(f *zip.File) bool { return f.Name == name })
	if n < 0 {
		return nil, fmt.Errorf("entry %q is missing", name)
	}
	if err := checkFile(files[n]); err != nil {
		return nil, fmt.Errorf("entry %q %w", name, err)
	}
	return read(files[n], limit)
}

// add takes up the entries.
func (p *Reader) add(files []*zip.File) error {
	for _, f := range files {
		name, isDir := strings.CutSuffix(f.Name, "/")
		if err := patch.CheckPath(name); err != nil {
			return err
		}
		if isDir {
			if f.UncompressedSize64 > 0 {
				return fmt.Errorf("entry %q is a folder with content", f.Name)
			}
			continue
		}
		if err := checkFile(f); err != nil {
			return fmt.Errorf("entry %q %w", name, err)
		}
		if p.files[name] != nil {
			return fmt.Errorf("entry %q stands twice in the file", name)
		}
		p.files[name] = f
		p.order = append(p.order, name)
	}
	return p.checkTree()
}

func (p *Reader) checkTree() error {
	for _, name := range p.order {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if p.files[dir] != nil {
				return fmt.Errorf("entry %q stands below %q, which is a file", name, dir)
			}
		}
	}
	return nil
}

// checkFile checks what the ZIP's directory says of a file.
func checkFile(f *zip.File) error {
	switch {
	case f.Mode().Type() != 0:
		return fmt.Errorf("is a link or another special file (mode %v)", f.Mode())
	case f.Flags&^(flagUTF8|flagDescriptor|flagSpeed) != 0:
		return errors.New("is encrypted or has unknown flags")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fmt.Errorf("has method %d, which is neither stored nor deflated", f.Method)
	case f.Method == zip.Store && f.CompressedSize64 != f.UncompressedSize64:
		return errors.New("is stored and has two sizes")
	case f.UncompressedSize64 > maxRatio*(f.CompressedSize64+1):
		return fmt.Errorf("unpacks to %d bytes from %d, more than deflate can do", f.UncompressedSize64, f.CompressedSize64)
	}
	return nil
}

// maxRatio is above the most that deflate makes of a byte.
const maxRatio = 1100

// read gives the content of a small entry.
func read(f *zip.File, limit int64) ([]byte, error) {
	if f.UncompressedSize64 > uint64(limit) {
		return nil, fmt.Errorf("entry %q has %d bytes, and %d are the limit", f.Name, f.UncompressedSize64, limit)
	}
	r, err := open(f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// open reads an entry; its check sum is compared at the end.
func open(f *zip.File) (io.ReadCloser, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("cannot open entry %q: %w", f.Name, err)
	}
	return &content{r: r, name: f.Name, left: int64(f.UncompressedSize64)}, nil
}

// content ends with an error where there is more than the directory says.
type content struct {
	r    io.ReadCloser
	name string
	left int64
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, fmt.Errorf("entry %q unpacks to more than it says", c.name)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("entry %q is damaged: %w", c.name, err)
	}
	return n, err
}

// Close implements io.Closer.
func (c *content) Close() error { return c.r.Close() }

// Open reads an entry. Content that is wrong ends with an error instead of
// io.EOF.
func (p *Reader) Open(name string) (io.ReadCloser, error) {
	f := p.files[name]
	if f == nil {
		return nil, fmt.Errorf("cannot open entry %q: %w", name, fs.ErrNotExist)
	}
	return open(f)
}

// Raw gives the exact bytes of patch-description.json.
func (p *Reader) Raw() []byte { return slices.Clone(p.raw) }

// Size is that of the patch file in bytes.
func (p *Reader) Size() int64 { return p.size }

// Entries gives the names of the files in the patch, in its order.
func (p *Reader) Entries() []string { return slices.Clone(p.order) }

// Close closes a file that Open opened.
func (p *Reader) Close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}
