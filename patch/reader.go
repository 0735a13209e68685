package patch

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch/media"
	"github.com/flotobuild/flotobuild/store"
)

// A Reader gives random access to a patch file. It is safe for concurrent use.
type Reader struct {
	Header
	r       io.ReaderAt
	size    int64
	files   []*zip.File // in the order of the file
	entries map[string]entry
	records []*record    // like files; packCRC is not known
	media   *media.Media // nil when NewReader was given its reader
	sound   sync.Map     // names of the entries that were read from volumes, and were right
}

type entry struct {
	Content
	file *zip.File
}

// NewReader opens a patch file of size bytes. It checks the structure: the
// description, and that the ZIP holds what the description lists, with the
// same sizes and modes, in the same order, and nothing else.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	p, err := newReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("cannot open patch: %w", err)
	}
	return p, nil
}

func newReader(r io.ReaderAt, size int64) (*Reader, error) {
	h, err := readHeader(io.NewSectionReader(r, 0, size))
	if err != nil {
		return nil, err
	}
	if err := h.Description.Check(); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(r, size)
	if errors.Is(err, zip.ErrFormat) {
		err = errors.New("the directory at its end is missing or damaged: the file is truncated or no patch")
	}
	if err != nil {
		return nil, err
	}
	p := &Reader{Header: *h, r: r, size: size, files: z.File, entries: make(map[string]entry, len(z.File))}
	if err := p.match(); err != nil {
		return nil, err
	}
	if err := p.place(); err != nil {
		return nil, err
	}
	return p, p.checkLinks()
}

// match goes through the ZIP and the contents side by side.
func (p *Reader) match() error {
	contents := p.Description.Flotobuild.Contents
	i := 0
	for n, f := range p.files {
		if _, dup := p.entries[f.Name]; dup {
			return fmt.Errorf("entry %q stands twice in the file", f.Name)
		}
		if n == 1 || n == 2 && f.Name == SignatureEntry {
			if err := p.matchHead(n, f); err != nil {
				return err
			}
			continue
		}
		if i == len(contents) || contents[i].Path != f.Name {
			return p.mismatch(contents, i, f.Name)
		}
		if err := matchFile(contents[i], f); err != nil {
			return fmt.Errorf("entry %q %w", f.Name, err)
		}
		p.entries[f.Name] = entry{contents[i], f}
		i++
	}
	if i < len(contents) {
		return fmt.Errorf("entry %q is listed in the description and missing in the file", contents[i].Path)
	}
	return nil
}

// maxSignature bounds patch-description.json.sig, in bytes.
const maxSignature = 1 << 20

// matchHead checks the entries that the contents do not list.
func (p *Reader) matchHead(n int, f *zip.File) error {
	c := Content{Path: DescriptionEntry, Size: int64(len(p.raw)), SHA256: p.Digest.Encoded()}
	if n == 2 {
		c = Content{Path: SignatureEntry, Size: int64(min(f.UncompressedSize64, maxSignature))}
	}
	if f.Name != c.Path {
		return fmt.Errorf("entry %q stands where %q belongs", clip(f.Name), c.Path)
	}
	if err := matchFile(c, f); err != nil {
		return fmt.Errorf("entry %q %w", f.Name, err)
	}
	p.entries[f.Name] = entry{c, f}
	return nil
}

// mismatch says what is wrong where name stands instead of the i-th content.
func (p *Reader) mismatch(contents []Content, i int, name string) error {
	for _, c := range contents[i:] {
		if c.Path == name {
			return fmt.Errorf("entry %q stands where %q belongs", name, contents[i].Path)
		}
	}
	if err := CheckPath(name); err != nil {
		return err
	}
	return fmt.Errorf("entry %q is not listed in the description", clip(name))
}

// matchFile compares the ZIP's record of an entry with the list.
func matchFile(c Content, f *zip.File) error {
	switch {
	case f.UncompressedSize64 != uint64(c.Size):
		return fmt.Errorf("has %d bytes, and the description says %d", f.UncompressedSize64, c.Size)
	case f.Mode() != c.Mode.FileMode():
		return fmt.Errorf("has mode %v, and the description says %v", f.Mode(), c.Mode.FileMode())
	case f.Flags&^flagUTF8 != 0:
		return errors.New("is encrypted or has its sizes behind the data")
	case f.Method == methodStore && f.CompressedSize64 != f.UncompressedSize64:
		return errors.New("is stored and has two sizes")
	case f.Method != methodStore && f.Method != methodDeflate:
		return fmt.Errorf("has method %d, which is neither stored nor deflated", f.Method)
	case f.Method != methodStore && strings.HasPrefix(c.Path, "images/"):
		return errors.New("is deflated: what belongs to images must be stored")
	case f.Method != methodStore && !deflatable(c):
		return fmt.Errorf("is deflated: links, and what has more than %d bytes, must be stored", maxDeflate)
	}
	return nil
}

// checkLinks reads every symbolic link.
func (p *Reader) checkLinks() error {
	for _, c := range p.Description.Flotobuild.Contents {
		if c.Mode != ModeSymlink {
			continue
		}
		target, err := p.read(c.Path)
		if err != nil {
			return err
		}
		if err := CheckLink(c.Path, string(target)); err != nil {
			return err
		}
	}
	return nil
}

func (p *Reader) read(name string) ([]byte, error) {
	r, err := p.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// Close closes what an Opener opened.
func (p *Reader) Close() error {
	if p.media == nil {
		return nil
	}
	return p.media.Close()
}

// Size is that of the patch file in bytes, decrypted where it is encrypted.
func (p *Reader) Size() int64 { return p.size }

// Open reads an entry. Size and digest are checked while reading, and content
// that is wrong ends with an error instead of io.EOF. The signature, which
// nothing lists, is checked for its size only.
func (p *Reader) Open(name string) (io.ReadCloser, error) {
	r, err := p.open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open entry %q: %w", clip(name), err)
	}
	return io.NopCloser(r), nil
}

func (p *Reader) open(name string) (io.Reader, error) {
	e, ok := p.entries[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	if err := p.mend(context.Background(), e); err != nil {
		return nil, err
	}
	return p.content(e)
}

// content reads an entry, and checks it while it is read.
func (p *Reader) content(e entry) (io.Reader, error) {
	packed, err := p.packed(e.file)
	if err != nil {
		return nil, err
	}
	r, err := (&record{method: e.file.Method}).content(packed)
	if err != nil {
		return nil, err
	}
	if e.SHA256 == "" {
		return io.LimitReader(r, e.Size), nil
	}
	return e.checked(r), nil
}

// checked verifies the content of an entry.
func (c Content) checked(r io.Reader) *verify.Reader {
	return verify.NewReader(r, fmt.Sprintf("entry %q", c.Path), c.Size, c.Digest())
}

// packed gives an entry's bytes as they are in the ZIP.
func (p *Reader) packed(f *zip.File) (*io.SectionReader, error) {
	off, err := f.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("its local header is damaged: %w", err)
	}
	n := f.CompressedSize64
	if off < 0 || off > p.size || n > uint64(p.size-off) {
		return nil, errors.New("it reaches beyond the end of the file")
	}
	return io.NewSectionReader(p.r, off, int64(n)), nil
}

// Blob implements store.Source. The blob is read in place and its content is
// not checked, store.ReadBlob does that.
func (p *Reader) Blob(ctx context.Context, d digest.Digest) (store.Blob, error) {
	b, err := p.blob(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("cannot open blob %q: %w", d, err)
	}
	return b, nil
}

func (p *Reader) blob(ctx context.Context, d digest.Digest) (store.Blob, error) {
	if err := verify.CheckDigest(d); err != nil {
		return nil, err
	}
	e, ok := p.entries[BlobEntry(d)]
	if !ok {
		return nil, fs.ErrNotExist
	}
	if err := p.mend(ctx, e); err != nil {
		return nil, err
	}
	s, err := p.packed(e.file)
	return section{s}, err
}

// Has says whether the patch carries a blob.
func (p *Reader) Has(d digest.Digest) bool {
	_, ok := p.entries[BlobEntry(d)]
	return ok
}

// Signatures counts the lines of patch-description.json.sig, one for each
// signature, whatever they are worth; 0 for a patch that is not signed.
func (p *Reader) Signatures() int {
	b, err := p.read(SignatureEntry)
	if err != nil {
		return 0
	}
	return len(bytes.Fields(b))
}

// Index reads images/index.json, which names every required image.
func (p *Reader) Index() (*ocispec.Index, error) {
	b, err := p.read(IndexEntry)
	if err != nil {
		return nil, err
	}
	return parseIndex(b)
}

// section makes a part of a file a blob.
type section struct{ *io.SectionReader }

// Close does nothing: the file stays open.
func (section) Close() error { return nil }
