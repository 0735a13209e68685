package patch

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// A Stream reads a patch file once from its beginning to its end, where there
// is no going back: a pipe. It checks what Verify checks of the ZIP's records
// and of the contents, in passing.
type Stream struct {
	Header
	r         io.Reader
	signature []byte
	head      []byte // the local header that was read ahead
	records   []*record
	next      int // in the contents
	off       int64
	open      *streamed
	err       error // the first failure, or io.EOF
}

// streamed is the entry that is being read.
type streamed struct {
	content io.Reader // checked
	raw     io.Reader // the bytes of the ZIP; for what is left of them
	rec     *record
	sum     hash.Hash32 // of the content
	packed  hash.Hash32 // of raw
}

// NewStream reads the description, which it checks, and the signatures.
func NewStream(r io.Reader) (*Stream, error) {
	s := &Stream{r: r}
	if err := s.start(); err != nil {
		return nil, fmt.Errorf("cannot read patch: %w", err)
	}
	return s, nil
}

func (s *Stream) start() error {
	text, first, err := s.leading(VersionEntry, maxVersion)
	if err != nil {
		return err
	}
	if string(text) != VersionText {
		return fmt.Errorf("entry %q says %q, and only %q is known", VersionEntry, text, VersionText)
	}
	raw, second, err := s.leading(DescriptionEntry, MaxDescription)
	if err != nil {
		return err
	}
	h, err := DecodeHeader(raw)
	if err != nil {
		return err
	}
	s.Header = *h
	s.next = 1 // VERSION.txt
	for _, l := range []*leadingEntry{first, second} {
		if err := s.note(l); err != nil {
			return err
		}
	}
	return s.readSignature()
}

// A leadingEntry is one that is read before its time is known.
type leadingEntry struct {
	rec *record
	raw []byte // local header
}

// leading reads one of the first two entries.
func (s *Stream) leading(name string, limit int64) ([]byte, *leadingEntry, error) {
	if err := s.readHead(); err != nil {
		return nil, nil, err
	}
	raw := s.head
	s.head = nil
	rec, err := readLocal(bytes.NewReader(raw), name)
	if err != nil {
		return nil, nil, err
	}
	sum := crc32.NewIEEE()
	data, err := readContent(io.TeeReader(s.r, sum), rec, limit)
	if err != nil {
		return nil, nil, err
	}
	rec.packCRC = packCRC(raw)
	return data, &leadingEntry{rec, raw}, rec.checkPacked(sum)
}

// checkPacked compares the check sum of an entry's bytes in the ZIP.
func (r *record) checkPacked(sum hash.Hash32) error {
	if r.method == methodDeflate && sum.Sum32() != r.packCRC {
		return fmt.Errorf("entry %q is damaged: its compressed bytes have another check sum", r.name)
	}
	return nil
}

// readContent reads an entry of at most limit bytes that follows its header.
func readContent(r io.Reader, rec *record, limit int64) ([]byte, error) {
	// Deflate may make short data longer.
	if rec.size > limit || rec.packed > limit+slack {
		return nil, fmt.Errorf("entry %q has %d bytes, and %d are the limit", rec.name, rec.size, limit)
	}
	packed, err := readN(r, rec.packed)
	if err != nil {
		return nil, fmt.Errorf("entry %q: %w", rec.name, truncated(err))
	}
	data, err := rec.unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("entry %q is damaged: %w", rec.name, err)
	}
	return data, nil
}

// readHead reads the next local header, unless it is there already. Where the
// directory begins it is only the four bytes that say so.
func (s *Stream) readHead() error {
	if s.head != nil {
		return nil
	}
	b, err := readN(s.r, 4)
	if err != nil {
		return truncated(err)
	}
	if s.head = b; le.Uint32(b) != sigLocal {
		return nil
	}
	rest, err := readN(s.r, localLen-4)
	if err != nil {
		return truncated(err)
	}
	b = append(b, rest...)
	names, err := readN(s.r, int64(le.Uint16(b[26:]))+int64(le.Uint16(b[28:])))
	s.head = append(b, names...)
	return truncated(err)
}

// packCRC finds the check sum of an entry's packed bytes in its local header.
func packCRC(raw []byte) uint32 {
	extra := raw[localLen+int(le.Uint16(raw[26:])):]
	for len(extra) >= 4 {
		n := int(le.Uint16(extra[2:]))
		if len(extra) < 4+n {
			break
		}
		if le.Uint16(extra) == extraPacked && n == 4 {
			return le.Uint32(extra[4:])
		}
		extra = extra[4+n:]
	}
	return 0
}

// note takes an entry into the list, once everything is known that its header
// follows from.
func (s *Stream) note(l *leadingEntry) error {
	l.rec.mode, l.rec.modified, l.rec.offset = ModeFile, s.Description.CreationDate.Time, s.off
	if !bytes.Equal(l.rec.local(), l.raw) {
		return headerError(l.rec.name)
	}
	s.records = append(s.records, l.rec)
	s.off = l.rec.end()
	return nil
}

func headerError(name string) error {
	return fmt.Errorf("entry %q: its header in the ZIP is not what it must be: the file was damaged or changed by another tool", clip(name))
}

// readSignature reads the signatures, where the next entry has them.
func (s *Stream) readSignature() error {
	if err := s.readHead(); err != nil {
		return err
	}
	if len(s.head) < localLen || !bytes.HasPrefix(s.head[localLen:], []byte(SignatureEntry)) || int(le.Uint16(s.head[26:])) != len(SignatureEntry) {
		return nil
	}
	data, l, err := s.leading(SignatureEntry, maxSignature)
	if err != nil {
		return err
	}
	s.signature = data
	return s.note(l)
}

// Signature gives the content of patch-description.json.sig; nil when the patch
// is not signed.
func (s *Stream) Signature() []byte { return s.signature }

// Size is the number of bytes of the file that have been read; after Next has
// given io.EOF it is that of the file.
func (s *Stream) Size() int64 { return s.off }

// Next goes to the next entry of the contents. Its reader is good until Next is
// called again, and need not be read: what is left of it is checked all the
// same. The error io.EOF says that the file has ended as it must.
func (s *Stream) Next() (Content, io.Reader, error) {
	if s.err == nil {
		s.err = s.finish()
	}
	if s.err != nil {
		return Content{}, nil, s.err
	}
	c, err := s.begin()
	if s.err = err; err != nil {
		return Content{}, nil, err
	}
	return c, s.open.content, nil
}

// finish reads the rest of the open entry.
func (s *Stream) finish() error {
	o := s.open
	if o == nil {
		return nil
	}
	s.open = nil
	if _, err := io.Copy(io.Discard, o.content); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, o.raw); err != nil { // behind the end of a deflate stream
		return fmt.Errorf("entry %q: %w", o.rec.name, err)
	}
	if o.sum.Sum32() != o.rec.crc {
		return fmt.Errorf("entry %q: the check sum of the ZIP is wrong", o.rec.name)
	}
	s.off = o.rec.end()
	return o.rec.checkPacked(o.packed)
}

func (s *Stream) begin() (Content, error) {
	contents := s.Description.Flotobuild.Contents
	if s.next == len(contents) {
		return Content{}, s.end()
	}
	c := contents[s.next]
	if err := s.readHead(); err != nil {
		return c, fmt.Errorf("entry %q: %w", c.Path, err)
	}
	raw := s.head
	s.head = nil
	if len(raw) < localLen {
		return c, fmt.Errorf("entry %q is listed in the description and missing in the file", c.Path)
	}
	r := &record{
		name: c.Path, mode: c.Mode, modified: s.Description.CreationDate.Time,
		method: le.Uint16(raw[8:]), crc: le.Uint32(raw[14:]), size: c.Size, packed: c.Size, packCRC: packCRC(raw), offset: s.off,
	}
	if r.method == methodDeflate {
		if !deflatable(c) {
			return c, fmt.Errorf("entry %q is deflated, and must be stored", c.Path)
		}
		r.packed = int64(le.Uint32(raw[18:]))
	}
	if !bytes.Equal(r.local(), raw) {
		return c, headerError(c.Path)
	}
	return c, s.openEntry(c, r)
}

func (s *Stream) openEntry(c Content, r *record) error {
	packed := crc32.NewIEEE()
	raw := io.LimitReader(s.r, r.packed)
	if r.method == methodDeflate {
		raw = io.TeeReader(raw, packed)
	}
	content, err := r.content(raw)
	if err != nil {
		return fmt.Errorf("entry %q: %w", c.Path, err)
	}
	sum := crc32.NewIEEE()
	s.open = &streamed{c.checked(io.TeeReader(content, sum)), raw, r, sum, packed}
	s.records = append(s.records, r)
	s.next++
	return nil
}

// end compares all that follows the last entry with what it must be.
func (s *Stream) end() error {
	want := directory(s.records, s.off)
	got, err := io.ReadAll(io.LimitReader(io.MultiReader(bytes.NewReader(s.head), s.r), int64(len(want))+1))
	if err != nil {
		return fmt.Errorf("directory of the ZIP: %w", err)
	}
	if s.head == nil && len(got) == 0 || len(got) < len(want) && bytes.HasPrefix(want, got) {
		return errors.New("directory of the ZIP: the file ends here: it is truncated")
	}
	if !bytes.Equal(got, want) {
		return errors.New("the directory of the ZIP is not what it must be: the file was damaged or changed by another tool")
	}
	s.off += int64(len(want))
	return io.EOF
}
