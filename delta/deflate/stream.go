package deflate

import (
	"bufio"
	"bytes"
	"context"
	"hash/crc32"
	"io"

	kflate "github.com/klauspost/compress/flate"
)

// A stream is compressed bytes that are searched.
type stream struct {
	tape     *tape
	in       *bufio.Reader
	inflater io.ReadCloser
	search   search
	content  *sum
	recipe   Recipe
	last     method
}

func newStream(blob io.Reader, content io.Writer) *stream {
	t := &tape{r: blob}
	in := bufio.NewReaderSize(t, chunkSize)
	return &stream{
		tape:     t,
		in:       in,
		inflater: kflate.NewReader(in),
		search:   search{tape: t},
		content:  &sum{w: content},
	}
}

// reset goes on with another blob.
func (s *stream) reset(blob io.Reader) {
	s.tape.r, s.tape.start, s.tape.kept, s.tape.err = blob, 0, s.tape.kept[:0], nil
	s.in.Reset(s.tape)
}

// at is the place in the blob up to which it was read.
func (s *stream) at() int64 { return s.tape.end() - int64(s.in.Buffered()) }

// members goes through the members of a gzip file.
func (s *stream) members(ctx context.Context) (bool, error) {
	for {
		if ok, err := s.member(ctx); !ok || err != nil {
			return false, err
		}
		next, err := s.in.Peek(gzipHeaderSize)
		if s.tape.err != nil {
			return false, s.tape.err
		}
		if err != nil || !isGzip(next) {
			return s.trailing()
		}
	}
}

func (s *stream) member(ctx context.Context) (bool, error) {
	header, err := readHeader(s.in)
	if err != nil {
		return false, s.tape.err
	}
	found, ok, err := s.deflate(ctx, gzipHint(header, s.last))
	if !ok || err != nil {
		return false, err
	}
	s.literal(header)
	s.recipe.parts = append(s.recipe.parts, found)
	return true, s.trailer()
}

// deflate goes through a deflate stream.
func (s *stream) deflate(ctx context.Context, h hint) (part, bool, error) {
	start := s.at()
	s.tape.forget(start)
	s.content.crc, s.content.n = 0, 0
	if err := s.inflater.(kflate.Resetter).Reset(s.in, nil); err != nil {
		return part{}, false, err
	}
	m, n, ok, err := s.search.find(ctx, s.inflater, start, s.at, s.content, candidates(h))
	if ok {
		s.last = m
	}
	return part{kind: partStream, method: m, length: n}, ok, err
}

// trailer reads the trailer, which may be wrong or cut.
func (s *stream) trailer() error {
	var b [gzipTrailerSize]byte
	n, err := io.ReadFull(s.in, b[:])
	if s.tape.err != nil {
		return s.tape.err
	}
	if err == nil && bytes.Equal(b[:], gzipTrailer(s.content.crc, s.content.n)) {
		s.recipe.parts = append(s.recipe.parts, part{kind: partTrailer})
		return nil
	}
	s.literal(b[:n])
	return nil
}

// trailing takes what follows the last member.
func (s *stream) trailing() (bool, error) {
	rest, err := io.ReadAll(io.LimitReader(s.in, maxHeader+1))
	if err != nil {
		return false, err
	}
	s.literal(rest)
	return len(rest) <= maxHeader, nil
}

// literal adds bytes to the recipe, to the literal before them if there is one.
func (s *stream) literal(b []byte) {
	if len(b) == 0 {
		return
	}
	if p := s.recipe.parts; len(p) > 0 && p[len(p)-1].kind == partLiteral {
		last := &p[len(p)-1]
		last.literal = append(last.literal, b...)
		return
	}
	s.recipe.parts = append(s.recipe.parts, part{kind: partLiteral, literal: bytes.Clone(b)})
}

// A sum passes bytes on with their CRC-32.
type sum struct {
	w   io.Writer
	crc uint32
	n   int64
}

func (s *sum) Write(p []byte) (int, error) {
	s.crc = crc32.Update(s.crc, crc32.IEEETable, p)
	s.n += int64(len(p))
	return s.w.Write(p)
}
