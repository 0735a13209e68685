// Package tarmap finds where the entries of a tar stand, in bytes that may be
// no tar at all.
//
// What it finds guides the search for similar files and is never trusted: a
// map that is wrong makes a delta larger and nothing else. So it refuses
// nothing, and what it does not understand is one nameless entry to the end.
package tarmap

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
)

// Block is the unit of a tar: headers, and what contents are padded to.
const Block = 512

// maxExtension bounds PAX records and long names that are looked into.
const maxExtension = 1 << 17

// An Entry is a file of a tar, at offsets from the tar's begin. Entries follow
// each other without gaps: the padding of a content begins the next entry.
type Entry struct {
	// Name is the path, cleaned, without a leading slash; empty for bytes
	// that are no tar.
	Name string
	// Start is where the padding of the previous entry begins.
	Start int64
	// Header is where the first header block stands: PAX and GNU extensions
	// count to the entry that they describe.
	Header int64
	// Content is where the content begins, and Size its length.
	Content, Size int64
	// Type is the type flag of the last header.
	Type byte
}

// End is where the content ends.
func (e *Entry) End() int64 { return e.Content + e.Size }

// A Visitor is told of entries in order. Data gets the bytes of the content of
// the entry that was begun last; the slice holds until it returns. The entry's
// Size is right when it is finished: a tar may be cut.
type Visitor interface {
	Begin(e *Entry) error
	Data(p []byte) error
	Finish() error
}

// Scan reads r to its end. It fails where r or v fails.
func Scan(r io.Reader, v Visitor) error {
	s := &scanner{r: bufio.NewReaderSize(r, 1<<18), v: v}
	for {
		switch err := s.next(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

type scanner struct {
	r      *bufio.Reader
	v      Visitor
	offset int64 // of what r gives next
	start  int64 // of the entry: where the content before ended
}

// errNoTar says that what follows is no header.
var errNoTar = errors.New("no tar header")

func (s *scanner) next() error {
	e := &Entry{Start: s.start, Header: s.offset}
	switch err := s.headers(e); {
	case errors.Is(err, io.EOF):
		return s.tail(e)
	case errors.Is(err, errNoTar):
		return s.rest(e)
	case err != nil:
		return err
	}
	e.Content = s.offset
	return s.visit(e)
}

// tail ends a stream that holds nothing more but, maybe, padding.
func (s *scanner) tail(e *Entry) error {
	if e.Start == s.offset {
		return io.EOF
	}
	e.Header, e.Content = s.offset, s.offset
	s.start = s.offset
	if err := s.v.Begin(e); err != nil {
		return err
	}
	return s.v.Finish()
}

// rest makes all that remains one entry, its content.
func (s *scanner) rest(e *Entry) error {
	e.Name, e.Type = "", 0
	e.Header, e.Content, e.Size = s.offset, s.offset, -1
	return s.visit(e)
}

// visit passes the content on; a size of -1 is all that there is.
func (s *scanner) visit(e *Entry) error {
	all := e.Size < 0
	e.Size = max(e.Size, 0)
	if err := s.v.Begin(e); err != nil {
		return err
	}
	for left := e.Size; all || left > 0; {
		p, err := s.r.Peek(1)
		if err == nil {
			p, _ = s.r.Peek(s.r.Buffered())
		}
		if len(p) == 0 && err != io.EOF {
			return err
		}
		if len(p) == 0 {
			e.Size -= max(left, 0)
			break
		}
		if !all {
			p = p[:min(int64(len(p)), left)]
			left -= int64(len(p))
		} else {
			e.Size += int64(len(p))
		}
		if err := s.v.Data(p); err != nil {
			return err
		}
		s.skip(len(p))
	}
	s.start = s.offset
	if err := s.v.Finish(); err != nil {
		return err
	}
	return s.padding(e)
}

func (s *scanner) skip(n int) {
	_, _ = s.r.Discard(n) // of what Peek gave
	s.offset += int64(n)
}

// padding goes to the next block where the rest of this one is zero.
func (s *scanner) padding(e *Entry) error {
	n := int(-(e.Content + e.Size - e.Header) & (Block - 1))
	p, err := s.r.Peek(n)
	if err != nil && err != io.EOF {
		return err
	}
	if len(bytes.Trim(p, "\x00")) == 0 {
		s.skip(len(p))
	}
	return nil
}

// headers reads the headers of one entry: extensions, and the last that they
// are for.
func (s *scanner) headers(e *Entry) error {
	var long longer
	for {
		h, err := s.r.Peek(Block)
		if err != nil && err != io.EOF {
			return err
		}
		if len(h) == 0 {
			return io.EOF
		}
		size, ok := parse(h)
		if !ok {
			return errNoTar
		}
		flag := h[156]
		name := headerName(h)
		sparse := flag == 'S' && h[482] != 0
		if !isExtension(flag) {
			s.skip(Block)
			e.Name, e.Size, e.Type = clean(long.or(name)), long.sizeOr(size), flag
			if !hasContent(flag) {
				e.Size = 0
			}
			return s.sparse(sparse)
		}
		if size > maxExtension {
			return errNoTar
		}
		whole, err := s.r.Peek(Block + int(size+Block-1)&^(Block-1))
		if err != nil {
			return errNoTar
		}
		long.add(flag, whole[Block:Block+size])
		s.skip(len(whole))
	}
}

// sparse skips the blocks that continue an old GNU sparse header.
func (s *scanner) sparse(more bool) error {
	for more {
		h, err := s.r.Peek(Block)
		if err != nil {
			return nil
		}
		more = h[504] != 0
		s.skip(Block)
	}
	return nil
}

func isExtension(flag byte) bool {
	return flag == 'x' || flag == 'g' || flag == 'L' || flag == 'K' || flag == 'X'
}

// hasContent says whether blocks of content follow a header; links, devices and
// folders have none, whatever their size says.
func hasContent(flag byte) bool { return flag < '1' || flag > '6' }

func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}
