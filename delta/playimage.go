package delta

import (
	"context"
	"fmt"
	"io"

	"github.com/flotobuild/flotobuild/delta/project"
)

// readerAt reads bytes.
type readerAt []byte

func (r readerAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(len(r)) {
		return 0, io.EOF
	}
	n := copy(p, r[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// spaceReader reads size bytes of the bases from an address on.
type spaceReader struct {
	s          *space
	from, size int64
}

func (r spaceReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > r.size {
		return 0, io.EOF
	}
	if err := r.s.readFull(p, r.from+off); err != nil {
		return 0, err
	}
	return len(p), nil
}

// image makes an executable of n bytes out of the one at p.at.
func (p *player) image(ctx context.Context, n int64) error {
	p.check()
	base := p.at
	size := p.read[streamImages].uvarint()
	if size > maxImage || n > maxImage || base < 0 {
		return fmt.Errorf("%w: an executable is too large", ErrMalformed)
	}
	old, ok := project.Parse(spaceReader{p.bases, base, size}, size)
	if !ok {
		return fmt.Errorf("%w: it refers to an executable that is none", ErrMalformed)
	}
	layout := old.Unmoved()
	for _, list := range [][]int64{layout.Offset, layout.Address} {
		last := int64(0)
		for i := range list {
			last += p.read[streamImages].varint()
			list[i] = last
		}
	}
	parts, files, err := p.parts(n, base, size)
	if err != nil {
		return err
	}
	predictor := project.NewPredictor(old, layout, parts)
	end := int64(0)
	fill := func(to int64) error {
		for ; len(files) > 0 && files[0].at < to; files = files[1:] {
			if err := p.literal(files[0].at - end); err != nil {
				return err
			}
			if err := p.pack(ctx, files[0].packedFile); err != nil {
				return err
			}
			end = files[0].at + files[0].length
		}
		return p.literal(to - end)
	}
	for _, part := range parts {
		if err := fill(part.New); err != nil {
			return err
		}
		if err := p.part(ctx, predictor, part, base); err != nil {
			return err
		}
		end = part.New + part.Length
	}
	p.at = base + size
	return fill(n)
}

// A placedFile is a compressed section of an executable.
type placedFile struct {
	*packedFile
	at int64
}

// parts reads the operations that make n bytes.
func (p *player) parts(n, base, size int64) (parts []project.Part, files []placedFile, err error) {
	kept := 0
	for done := int64(0); done < n; {
		var length int64
		switch kind := p.read[streamKinds].byte(); kind {
		case opLiteral:
			length = p.read[streamRuns].uvarint()
		case opMatch:
			length = p.read[streamLengths].uvarint()
			p.at += p.read[streamSeeks].varint()
			parts = append(parts, project.Part{New: done, Old: p.at - base, Length: length})
			if p.at < base || length > maxMatch || p.at+length > base+size || len(parts) > maxParts {
				return nil, nil, fmt.Errorf("%w: a part of an executable is not in the old one", ErrMalformed)
			}
			p.at += length
		case opGzip:
			length = p.read[streamLengths].uvarint()
			f, err := p.gzip(length)
			if err != nil {
				return nil, nil, err
			}
			files = append(files, placedFile{f, done})
			kept += len(f.parts)
		default:
			return nil, nil, fmt.Errorf("%w: operation %d is not known in executables", ErrMalformed, kind)
		}
		if err := p.failed(); err != nil {
			return nil, nil, err
		}
		if length == 0 || length > n-done || kept > maxHeld {
			return nil, nil, fmt.Errorf("%w: a part of an executable has %d bytes", ErrMalformed, length)
		}
		done += length
	}
	return parts, files, nil
}

// part makes a part from its prediction.
func (p *player) part(ctx context.Context, predictor *project.Predictor, part project.Part, base int64) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	margin := int(min(part.Old, project.Margin))
	need := margin + int(part.Length)
	if cap(p.buf) < need {
		p.buf = make([]byte, maxMatch+project.Margin)
	}
	b := p.buf[:need]
	if err := p.readBase(b, base+part.Old-int64(margin)); err != nil {
		return err
	}
	done := margin
	var err error
	predictor.Predict(part, b, margin, func(end int) {
		switch n := int64(end - done); {
		case n <= p.gap:
			p.gap -= n
		case err == nil:
			err = p.edit(b[done:end])
		}
		done = end
	})
	if err != nil {
		return err
	}
	_, err = p.w.Write(b[margin:])
	return err
}
