package patch

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// A Writer writes one patch file. Its methods are not safe for concurrent use.
//
// The file gets its name with Publish and not before; Abort, or a failure of
// Publish, leaves nothing.
type Writer struct {
	f        output
	d        *Description
	dir      string
	name     string
	sign     SignFunc // nil for patches without signatures
	made     map[string][]byte
	records  []*record
	next     int   // in the contents
	off      int64 // bytes written
	finished bool
	volumes  *volume.Splitter // nil for one file
	err      error            // the first failure; nothing more is written then
}

// An output is an atomicfile.File; tests have others.
type output interface {
	io.Writer
	io.WriterAt
	io.ReaderAt
	Sync() error
	Publish(path string) error
	Abort()
}

// Create begins the patch that d describes in the folder dir, which must
// exist, and removes what killed writers left there. d must be complete, its
// contents included (see SetContents), and must not change any more.
func Create(dir string, d *Description) (*Writer, error) {
	return CreateWith(dir, d, CreateOptions{})
}

// CreateOptions say what is done to a patch file besides filling it.
type CreateOptions struct {
	// Sign signs the patch; nil leaves it unsigned.
	Sign SignFunc
	// Recipients are those whom the file is encrypted for; none leave it plain. Of
	// an encrypted file no clear text reaches the disk.
	Recipients []crypt.Recipient
}

// CreateWith is Create for a patch that is signed or encrypted.
func CreateWith(dir string, d *Description, o CreateOptions) (*Writer, error) {
	w, err := create(dir, d, o)
	if err != nil {
		return nil, fmt.Errorf("cannot create patch: %w", err)
	}
	return w, nil
}

func create(dir string, d *Description, o CreateOptions) (*Writer, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	name, err := fileName(d.ID, o.Recipients)
	if err != nil {
		return nil, err
	}
	if _, err := atomicfile.Sweep(dir); err != nil {
		return nil, err
	}
	if err := checkSpace(dir, d); err != nil {
		return nil, err
	}
	f, err := atomicfile.Create(dir, 0o666)
	if err != nil {
		return nil, err
	}
	w, err := newFileWriter(f, d, o)
	if err != nil {
		f.Abort()
		return nil, err
	}
	w.dir, w.name = dir, name
	return w, nil
}

func newWriter(f output, d *Description, sign SignFunc) (*Writer, error) {
	w := &Writer{f: f, d: d, sign: sign, made: d.generated()}
	return w, w.start()
}

// checkSpace compares the stored entries with the space that is left, before
// hours are spent on filling it.
func checkSpace(dir string, d *Description) error {
	return checkFree(dir, uint64(d.StoredSize()))
}

func checkFree(dir string, need uint64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Blocks == 0 {
		return nil // unknown; creating the file says more
	}
	if free := st.Bavail * uint64(st.Bsize); free < need {
		return fmt.Errorf("%q has %d bytes free, and the patch needs %d: %w", dir, free, need, unix.ENOSPC)
	}
	return nil
}

// start writes VERSION.txt, the description and the signatures.
func (w *Writer) start() error {
	b, err := Encode(w.d)
	if err != nil {
		return err
	}
	if err := w.addGenerated(w.contents()[0]); err != nil {
		return err
	}
	if err := w.small(Content{Path: DescriptionEntry}, b); err != nil {
		return err
	}
	return w.signature(b)
}

// Path is where the file stands after Publish, unless it has been split.
func (w *Writer) Path() string { return filepath.Join(w.dir, w.name) }

// Size is that of the file in bytes, once Finish has completed it.
func (w *Writer) Size() int64 {
	if s, ok := w.f.(sealed); ok {
		return s.FileSize()
	}
	return w.off
}

// Next gives the entry that Add expects; false when all have been added.
func (w *Writer) Next() (Content, bool) {
	i := w.next
	for i < len(w.contents()) && w.made[w.contents()[i].Path] != nil {
		i++
	}
	if i == len(w.contents()) {
		return Content{}, false
	}
	return w.contents()[i], true
}

func (w *Writer) contents() []Content { return w.d.Flotobuild.Contents }

// Add writes the next entry, which must be called name: entries come in the
// order of the description. r must yield the listed content. VERSION.txt and
// the two files of the OCI layout are added by the Writer.
func (w *Writer) Add(ctx context.Context, name string, r io.Reader) error {
	if w.err == nil {
		w.err = w.add(ctx, name, r)
	}
	if w.err != nil {
		return fmt.Errorf("cannot add entry %q: %w", name, w.err)
	}
	return nil
}

func (w *Writer) add(ctx context.Context, name string, r io.Reader) error {
	c, err := w.take(name)
	if err != nil {
		return err
	}
	checked := verify.ContextReader(ctx, verify.NewReader(r, fmt.Sprintf("entry %q", name), c.Size, c.Digest()))
	if !deflatable(c) && c.Mode != ModeSymlink {
		return w.stored(ctx, c, checked)
	}
	data, err := io.ReadAll(checked)
	if err != nil {
		return err
	}
	if c.Mode == ModeSymlink {
		if err := CheckLink(c.Path, string(data)); err != nil {
			return err
		}
	}
	return w.small(c, data)
}

// take goes to the next entry, which must be called name.
func (w *Writer) take(name string) (Content, error) {
	if w.finished {
		return Content{}, fs.ErrClosed
	}
	if err := w.addMade(); err != nil {
		return Content{}, err
	}
	if w.next == len(w.contents()) {
		return Content{}, errors.New("the description lists no more entries")
	}
	c := w.contents()[w.next]
	if c.Path != name {
		return Content{}, fmt.Errorf("the description lists %q here", c.Path)
	}
	w.next++
	return c, nil
}

// AddAll adds all entries that are still missing; open gives the content of
// one.
func (w *Writer) AddAll(ctx context.Context, open func(context.Context, Content) (io.ReadCloser, error)) error {
	for {
		c, ok := w.Next()
		if !ok {
			return nil
		}
		r, err := open(ctx, c)
		if err != nil {
			return fmt.Errorf("cannot add entry %q: %w", c.Path, err)
		}
		err = w.Add(ctx, c.Path, r)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
}

// deflatable says which entries are deflated where it helps: text, that is
// whatever is neither part of the images nor large.
func deflatable(c Content) bool {
	return c.Size <= maxDeflate && c.Mode != ModeSymlink && !strings.HasPrefix(c.Path, "images/")
}

// addMade adds the next entries as far as they follow from the description.
func (w *Writer) addMade() error {
	for w.next < len(w.contents()) && w.made[w.contents()[w.next].Path] != nil {
		if err := w.addGenerated(w.contents()[w.next]); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) addGenerated(c Content) error {
	data := w.made[c.Path]
	if want := NewContent(c.Path, data); c.SHA256 != want.SHA256 || c.Size != want.Size || !c.Mode.IsZero() {
		return fmt.Errorf("entry %q is listed with a content that does not follow from the rest of the description", c.Path)
	}
	w.next++
	return w.small(c, data)
}

func (w *Writer) record(c Content) *record {
	r := &record{name: c.Path, mode: c.Mode, modified: w.d.CreationDate.Time, size: c.Size, packed: c.Size, offset: w.off}
	w.records = append(w.records, r)
	return r
}

// small writes an entry whose bytes are known.
func (w *Writer) small(c Content, data []byte) error {
	r := w.record(c)
	r.size, r.packed, r.crc = int64(len(data)), int64(len(data)), crc32.ChecksumIEEE(data)
	if deflatable(c) && c.Path != VersionEntry {
		var err error
		if data, err = r.deflate(data); err != nil {
			return err
		}
	}
	return w.write(append(r.local(), data...))
}

// stored streams an entry. Its check sum is known at the end only, and the
// header in front of it is written a second time.
func (w *Writer) stored(ctx context.Context, c Content, content io.Reader) error {
	r := w.record(c)
	if s, ok := w.f.(sealed); ok {
		s.Hold(len(r.local()))
	}
	if err := w.write(r.local()); err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	n, err := verify.Copy(ctx, io.MultiWriter(w.f, sum), content)
	w.off += n
	if err != nil {
		return err
	}
	r.crc = sum.Sum32()
	_, err = w.f.WriteAt(r.local(), r.offset)
	return err
}

func (w *Writer) write(b []byte) error {
	n, err := w.f.Write(b)
	w.off += int64(n)
	return err
}

// Finish completes the file, which still has no name. It fails when an entry
// of the description was not added.
func (w *Writer) Finish() error {
	if w.err == nil && !w.finished {
		w.err = w.finish()
	}
	if w.err != nil {
		return fmt.Errorf("cannot finish patch %q: %w", w.d.ID, w.err)
	}
	return nil
}

func (w *Writer) finish() error {
	if err := w.addMade(); err != nil {
		return err
	}
	if w.next < len(w.contents()) {
		return fmt.Errorf("entry %q is listed and was not added", w.contents()[w.next].Path)
	}
	w.finished = true
	return w.write(directory(w.records, w.off))
}

// Sync finishes the file and puts it on the disk, so that Publish has to give
// it its name only.
func (w *Writer) Sync() error {
	if err := w.Finish(); err != nil {
		return err
	}
	return w.f.Sync()
}

// Publish finishes the file and gives it its name, or its volumes theirs. Where a file of that name is
// there already, it fails with fs.ErrExist. Whatever fails, nothing is left.
func (w *Writer) Publish() error {
	defer w.Abort()
	if err := w.Finish(); err != nil {
		return err
	}
	if w.volumes != nil {
		return w.volumes.Publish()
	}
	return w.f.Publish(w.Path())
}

// Abort removes what was written. After Publish it does nothing.
func (w *Writer) Abort() {
	w.f.Abort()
	if w.volumes != nil {
		w.volumes.Abort()
	}
	w.finished = true
}
