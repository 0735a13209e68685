package volume

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/reedsolomon"
)

const (
	stripeMemory = 64 << 20 // bytes of all shards that are in memory at once
	mostStripe   = 1 << 20  // bytes of a shard that are
)

// coder makes the Reed–Solomon code of a set. Its default matrix is the one of
// docs/patch-format.md.
func (l *Layout) coder() (reedsolomon.Encoder, error) {
	return reedsolomon.New(l.Data, l.Parity)
}

// stripe is how many bytes of each volume are dealt with at once.
func (l *Layout) stripe() int64 {
	return min(mostStripe, stripeMemory/int64(l.Volumes()), l.Payload)
}

// stripes calls work for each stripe with its place in the payloads.
func (l *Layout) stripes(ctx context.Context, work func(off, size int64) error) error {
	for off := int64(0); off < l.Payload; off += l.stripe() {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := work(off, min(l.stripe(), l.Payload-off)); err != nil {
			return err
		}
	}
	return nil
}

// writeParity computes the parity volumes from the data volumes as they were
// written.
func (s *Splitter) writeParity(ctx context.Context, count io.Writer) error {
	l := s.layout
	if l.Parity == 0 {
		return nil
	}
	code, err := l.coder()
	if err != nil {
		return err
	}
	shards := reedsolomon.AllocAligned(l.Volumes(), int(l.stripe()))
	hashes := make([]hash.Hash, l.Parity)
	for n := range hashes {
		hashes[n] = sha256.New()
	}
	err = l.stripes(ctx, func(off, size int64) error {
		for n := range shards {
			shards[n] = shards[n][:size]
		}
		for n, f := range s.files[:l.Data] {
			if err := readShard(f, shards[n], off, l.payload(n)); err != nil {
				return fmt.Errorf("cannot read %q again: %w", s.path(n), bare(err))
			}
		}
		if err := code.Encode(shards); err != nil {
			return err
		}
		for n, h := range hashes {
			h.Write(shards[l.Data+n])
			if _, err := s.files[l.Data+n].Write(shards[l.Data+n]); err != nil {
				return fmt.Errorf("cannot write %q: %w", s.path(l.Data+n), bare(err))
			}
		}
		_, err := io.CopyN(count, zeros{}, size*int64(l.Parity))
		return err
	})
	for n, h := range hashes {
		s.index.Digests[l.Data+n] = sum(h)
	}
	return err
}

// readShard fills b from the place off of a payload of size bytes. Behind its
// end a payload is zero.
func readShard(r io.ReaderAt, b []byte, off, size int64) error {
	n := max(0, min(int64(len(b)), size-off))
	clear(b[n:])
	_, err := io.ReadFull(io.NewSectionReader(r, off, n), b[:n])
	return err
}

// zeros counts bytes for progress that are in no one buffer.
type zeros struct{}

// Read fills b with zeros.
func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
