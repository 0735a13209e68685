package deflate

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	kflate "github.com/klauspost/compress/flate"
)

// Identify inflates a gzip file and looks for the recipe that makes it again.
// It is false for what is no gzip file, is damaged, holds more than limit
// bytes, or was made by no encoder that is known. An error is that of ctx.
func Identify(ctx context.Context, compressed []byte, limit int64) (*Recipe, []byte, bool, error) {
	if !isGzip(compressed) {
		return nil, nil, false, nil
	}
	content := &limitedBuffer{limit: limit}
	r, ok, err := IdentifyLayer(ctx, bytes.NewReader(compressed), content)
	if errors.Is(err, errLimit) {
		return nil, nil, false, nil
	}
	if !ok {
		return nil, nil, false, err
	}
	return r, content.Bytes(), true, nil
}

var errLimit = errors.New("the content is too long")

// A limitedBuffer takes no more than limit bytes.
type limitedBuffer struct {
	bytes.Buffer
	limit int64
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if int64(b.Len()+len(p)) > b.limit {
		return 0, errLimit
	}
	return b.Buffer.Write(p)
}

// IdentifyLayer reads a compressed layer once, within bounded memory, writes
// what it holds to content (io.Discard if only the recipe is wanted), and looks
// for the recipe that makes it again. The compression is told by the first
// bytes. It is false for what was made by no encoder that is known, or is
// damaged or not compressed; content got some part then. An error is that of
// ctx, of reading or of writing.
func IdentifyLayer(ctx context.Context, blob io.Reader, content io.Writer) (*Recipe, bool, error) {
	s := newStream(blob, content)
	start, err := s.in.Peek(gzipHeaderSize)
	if s.tape.err != nil {
		return nil, false, fmt.Errorf("cannot read a compressed layer: %w", s.tape.err)
	}
	if err != nil || !isGzip(start) {
		return nil, false, nil
	}
	ok, err := s.members(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("cannot look for a layer's recipe: %w", err)
	}
	if !ok {
		return nil, false, nil
	}
	return &s.recipe, true, nil
}

// A stream is a gzip stream that is searched.
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
	start := s.at()
	s.tape.forget(start)
	s.content.crc, s.content.n = 0, 0
	if err := s.inflater.(kflate.Resetter).Reset(s.in, nil); err != nil {
		return false, err
	}
	m, n, ok, err := s.search.find(ctx, s.inflater, start, s.at, s.content, candidates(gzipHint(header, s.last)))
	if !ok || err != nil {
		return false, err
	}
	s.last = m
	s.literal(header)
	s.recipe.parts = append(s.recipe.parts, part{kind: partDeflate, method: m, length: n})
	return true, s.trailer()
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
