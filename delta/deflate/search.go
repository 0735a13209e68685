package deflate

import (
	"context"
	"errors"
	"io"
)

const (
	// prefixSize is how much content decides which methods are tried on.
	prefixSize = 1 << 18
	// chunkSize is how much content is read at once after that.
	chunkSize = 1 << 16
	// maxLive is how many methods are tried on beyond the prefix. More than three
	// remain only for content with hardly any choice, as zeros.
	maxLive = 8
)

// A run is a method at work on a stream.
type run struct {
	method  method
	encoder io.WriteCloser
	out     comparison
}

// A search finds the method that wrote a stream.
type search struct {
	tape   *tape
	prefix []byte
	rest   []byte
}

// find reads the content of the stream that starts at a place of the tape,
// passes it on, and returns the first method whose output is the stream, and
// the content's length. end tells the stream's end after the last read. A
// stream that cannot be inflated has no method; an error is that of reading or
// of passing on.
func (s *search) find(ctx context.Context, in io.Reader, start int64, end func() int64, content io.Writer, methods []method) (method, int64, bool, error) {
	if s.prefix == nil {
		s.prefix, s.rest = make([]byte, prefixSize), make([]byte, chunkSize)
	}
	n, err := readAll(in, s.prefix)
	whole := errors.Is(err, io.EOF)
	if err != nil && !whole {
		return method{}, 0, false, s.tape.err
	}
	if _, err := content.Write(s.prefix[:n]); err != nil {
		return method{}, 0, false, err
	}
	var live []*run
	var evidence *evidence
	for i, m := range methods {
		if err := ctx.Err(); err != nil {
			return method{}, 0, false, err
		}
		if i == 1 {
			evidence = s.look(start, s.prefix[:n])
		}
		if !evidence.allows(m) {
			continue
		}
		r, err := s.begin(m, start)
		if err != nil {
			return method{}, 0, false, err
		}
		if _, err := r.encoder.Write(s.prefix[:n]); err != nil {
			continue
		}
		if whole {
			if r.ends(end()) {
				return m, int64(n), true, nil
			}
			continue
		}
		if live = append(live, r); len(live) == maxLive {
			break
		}
	}
	if len(live) == 0 {
		return method{}, 0, false, nil
	}
	return s.follow(ctx, in, int64(n), end, content, live)
}

func (s *search) begin(m method, start int64) (*run, error) {
	r := &run{method: m, out: comparison{tape: s.tape, at: start}}
	e, err := m.open(&r.out)
	if err != nil {
		return nil, err
	}
	r.encoder = e
	return r, nil
}

// follow runs the methods that made the prefix over the rest.
func (s *search) follow(ctx context.Context, in io.Reader, n int64, end func() int64, content io.Writer, live []*run) (method, int64, bool, error) {
	for whole := false; !whole; {
		if err := ctx.Err(); err != nil {
			return method{}, 0, false, err
		}
		got, err := readAll(in, s.rest)
		if whole = errors.Is(err, io.EOF); err != nil && !whole {
			return method{}, 0, false, s.tape.err
		}
		n += int64(got)
		if _, err := content.Write(s.rest[:got]); err != nil {
			return method{}, 0, false, err
		}
		live = advance(live, s.rest[:got])
		if len(live) == 0 || len(s.tape.kept) > maxTape {
			return method{}, 0, false, nil
		}
		oldest := live[0].out.at
		for _, r := range live {
			oldest = min(oldest, r.out.at)
		}
		s.tape.forget(oldest)
	}
	for _, r := range live {
		if r.ends(end()) {
			return r.method, n, true, nil
		}
	}
	return method{}, 0, false, nil
}

// advance gives content to the runs, and returns those that still agree.
func advance(live []*run, p []byte) []*run {
	var still []*run
	for _, r := range live {
		if _, err := r.encoder.Write(p); err == nil {
			still = append(still, r)
		}
	}
	return still
}

// ends closes the encoder and tells whether it wrote the stream.
func (r *run) ends(end int64) bool {
	return r.encoder.Close() == nil && r.out.endsAt(end)
}

// readAll fills p. Unlike io.ReadFull it tells the end, io.EOF, from a stream
// that is cut, io.ErrUnexpectedEOF.
func readAll(r io.Reader, p []byte) (int, error) {
	n := 0
	for n < len(p) {
		m, err := r.Read(p[n:])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
