package patch

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// A SignFunc gives the content of patch-description.json.sig from the exact
// bytes of the description and the present content, which is empty where the
// patch is not signed. It may return entry as it is.
type SignFunc func(description, entry []byte) ([]byte, error)

// Signature gives the content of patch-description.json.sig; nil when the patch
// is not signed. Package sign knows what it means.
func (p *Reader) Signature() ([]byte, error) {
	if _, ok := p.entries[SignatureEntry]; !ok {
		return nil, nil
	}
	return p.read(SignatureEntry)
}

// signature writes the signatures over description.
func (w *Writer) signature(description []byte) error {
	if w.sign == nil {
		return nil
	}
	entry, err := w.sign(description, nil)
	if err != nil {
		return err
	}
	return w.small(Content{Path: SignatureEntry}, entry)
}

// AddSignature changes the signatures of the plain patch file at path, and says
// whether it did. The ZIP's structure is checked and nothing else: digests are
// what a signature stands for. The file is replaced as a whole, by a copy in
// which everything behind the signatures moves; on the same file system the
// kernel copies, and shares blocks where it can.
func AddSignature(ctx context.Context, path string, sign SignFunc) (bool, error) {
	changed, err := addSignature(ctx, path, sign)
	if err != nil {
		return false, fmt.Errorf("cannot sign patch %q: %w", path, err)
	}
	return changed, nil
}

func addSignature(ctx context.Context, path string, sign SignFunc) (bool, error) {
	path, err := filepath.EvalSymlinks(path) // a link stays one
	if err != nil {
		return false, err
	}
	f, info, err := lockFile(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	p, err := signable(f, info.Size(), path)
	if err != nil {
		return false, err
	}
	old, err := p.Signature()
	if err != nil {
		return false, err
	}
	entry, err := sign(p.Raw(), old)
	if err != nil || bytes.Equal(entry, old) {
		return false, err
	}
	return true, p.rewrite(ctx, f, path, info.Mode().Perm(), entry)
}

// ErrNotPlain means that a patch file is encrypted or in volumes, where no
// signature can be added.
var ErrNotPlain = errors.New("signatures are added to plain files only")

// signable opens the ZIP in f, which stands at path, and recognises the forms
// that are not rewritten in place.
func signable(f *os.File, size int64, path string) (*Reader, error) {
	first := make([]byte, len(crypt.Magic))
	n, err := f.ReadAt(first, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if crypt.IsEncrypted(first[:n]) {
		return nil, fmt.Errorf("%w, and it is encrypted", ErrNotPlain)
	}
	p, err := newReader(f, size)
	if err != nil && volume.Is(path) {
		return nil, fmt.Errorf("%w, and it is a volume", ErrNotPlain)
	}
	return p, err
}

// lockFile opens the file that stands at path and locks it, so that of two
// processes that replace it none loses what the other wrote.
func lockFile(path string) (*os.File, fs.FileInfo, error) {
	f, info, err := regular.Open(path)
	if err != nil {
		return nil, nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if now, statErr := os.Stat(path); statErr != nil || !os.SameFile(info, now) || errors.Is(err, unix.EWOULDBLOCK) {
		f.Close()
		return nil, nil, errors.New("another process is changing the file: try again")
	}
	return f, info, nil // without a lock where the file system has none
}

// rewrite replaces the file at path, which is f, by one with entry as its
// signatures.
func (p *Reader) rewrite(ctx context.Context, f *os.File, path string, perm fs.FileMode, entry []byte) error {
	records, end, err := p.allRecords()
	if err != nil {
		return err
	}
	rest := slices.IndexFunc(records, func(r *record) bool { return r.name == SignatureEntry })
	if rest < 0 {
		rest = slices.IndexFunc(records, func(r *record) bool { return r.name == DescriptionEntry })
	}
	head, tail := records[:2], records[rest+1:]
	dir := filepath.Dir(path)
	if _, err := atomicfile.Sweep(dir); err != nil {
		return err
	}
	if err := checkFree(dir, uint64(p.size)); err != nil {
		return err
	}
	out, err := atomicfile.Create(dir, perm)
	if err != nil {
		return err
	}
	defer out.Abort()
	w := &Writer{f: out, d: p.Description}
	if err := w.copied(ctx, f, head, 0, head[1].end()); err != nil {
		return err
	}
	if err := w.small(Content{Path: SignatureEntry}, entry); err != nil {
		return err
	}
	if err := w.copied(ctx, f, tail, records[rest].end(), end); err != nil {
		return err
	}
	if err := w.write(directory(w.records, w.off)); err != nil {
		return err
	}
	return out.Replace(path)
}

// end is the offset behind the entry.
func (r *record) end() int64 { return r.offset + int64(len(r.local())) + r.packed }

// copied copies the bytes of f from one offset to another; they are those of
// the records.
func (w *Writer) copied(ctx context.Context, f *os.File, records []*record, from, to int64) error {
	for _, r := range records {
		moved := *r
		moved.offset += w.off - from
		w.records = append(w.records, &moved)
	}
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return err
	}
	const chunk = 64 << 20 // between looks at ctx
	for left := to - from; left > 0; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, err := io.CopyN(w.f, f, min(left, chunk))
		w.off += n
		left -= n
		if err != nil {
			return err
		}
	}
	return nil
}

// allRecords gives what the ZIP says of each entry, and the offset of the directory.
// Every byte of the ZIP's own structures must be as the records say.
func (p *Reader) allRecords() ([]*record, int64, error) {
	var records []*record
	var off int64
	for _, f := range p.files {
		e := p.entries[f.Name]
		r := &record{
			name: f.Name, mode: e.Mode, modified: p.Description.CreationDate.Time, method: f.Method,
			crc: f.CRC32, size: e.Size, packed: int64(f.CompressedSize64), packCRC: packedSum(f), offset: off,
		}
		if !p.holds(off, r.local()) {
			return nil, 0, fmt.Errorf("the header of entry %q in the ZIP is damaged", r.name)
		}
		records = append(records, r)
		off = r.end()
	}
	if d := directory(records, off); off+int64(len(d)) != p.size || !p.holds(off, d) {
		return nil, 0, errors.New("the directory of the ZIP is damaged")
	}
	return records, off, nil
}

// holds says whether the file has want at an offset.
func (p *Reader) holds(off int64, want []byte) bool {
	got := make([]byte, len(want))
	n, _ := p.r.ReadAt(got, off)
	return n == len(want) && bytes.Equal(got, want)
}

// packedSum gives the check sum of an entry's bytes in the ZIP, as its extra
// field has it.
func packedSum(f *zip.File) uint32 {
	for x := f.Extra; len(x) >= 4; {
		n := int(le.Uint16(x[2:]))
		if len(x) < 4+n {
			break
		}
		if le.Uint16(x) == extraPacked && n == 4 {
			return le.Uint32(x[4:])
		}
		x = x[4+n:]
	}
	return 0
}
