package patch

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/verify"
)

// A Stored is an entry that a Writer has stored as it is, and whose content had
// the digest that it should have. It is good until that Writer's Publish or
// Abort, also while the Writer goes on.
type Stored struct {
	f      output
	offset int64 // of the content
	size   int64
	crc    uint32
	digest digest.Digest
}

// Stored gives the entry that was added last, unless it is deflated or a
// symbolic link, or in an encrypted file.
func (w *Writer) Stored() (Stored, bool) {
	if w.err != nil || len(w.records) == 0 || w.next == 0 {
		return Stored{}, false
	}
	r, c := w.records[len(w.records)-1], w.contents()[w.next-1]
	if _, plain := w.f.(*atomicfile.File); !plain {
		return Stored{}, false // it would have to be decrypted again
	}
	if r.name != c.Path || deflatable(c) || c.Mode == ModeSymlink {
		return Stored{}, false
	}
	return Stored{w.f, r.offset + int64(len(r.local())), r.size, r.crc, c.Digest()}, true
}

// AddStored adds the next entry, which must be called name, with the content of
// an entry of another Writer. It is neither read nor hashed a second time: the
// bytes went into that file in this process, and its check sum is known. count
// is told the bytes of each piece.
func (w *Writer) AddStored(ctx context.Context, name string, s Stored, count func(int64)) error {
	if w.err == nil {
		w.err = w.addStored(ctx, name, s, count)
	}
	if w.err != nil {
		return fmt.Errorf("cannot add entry %q: %w", name, w.err)
	}
	return nil
}

func (w *Writer) addStored(ctx context.Context, name string, s Stored, count func(int64)) error {
	c, err := w.take(name)
	if err != nil {
		return err
	}
	if c.Size != s.size || c.Digest() != s.digest || deflatable(c) || c.Mode == ModeSymlink {
		return fmt.Errorf("the description lists another content than %s of %d bytes", s.digest, s.size)
	}
	r := w.record(c)
	r.crc = s.crc
	if err := w.write(r.local()); err != nil {
		return err
	}
	if err := w.copyStored(ctx, s, count); err != nil {
		return err
	}
	w.off += s.size
	return nil
}

func (w *Writer) copyStored(ctx context.Context, s Stored, count func(int64)) error {
	dst, ok := w.f.(*atomicfile.File)
	src, same := s.f.(*atomicfile.File)
	if ok && same {
		return dst.CopyFrom(ctx, src, s.offset, s.size, count)
	}
	sum := crc32.NewIEEE()
	n, err := verify.Copy(ctx, io.MultiWriter(w.f, sum), io.NewSectionReader(s.f, s.offset, s.size))
	if err == nil && (n != s.size || sum.Sum32() != s.crc) {
		err = fmt.Errorf("the other patch is damaged: %w", io.ErrUnexpectedEOF)
	}
	count(n)
	return err
}

// StoredSize is the least number of bytes that a patch takes: the entries that
// are stored as they are.
func (d *Description) StoredSize() int64 {
	var n int64
	for _, c := range d.Flotobuild.Contents {
		if !deflatable(c) {
			n += c.Size
		}
	}
	return n
}
