package volume

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/klauspost/reedsolomon"

	"github.com/flotobuild/flotobuild/internal/regular"
)

// restore writes the data volumes that were not copied, from those that were
// and from as many parity volumes.
func (j *joiner) restore(ctx context.Context) error {
	x := j.set.Index
	var lost []int
	for n := range x.Data {
		if !j.report.States[n].OK {
			lost = append(lost, n)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	parity, err := j.openParity(ctx, len(lost))
	defer closeAll(parity)
	if err != nil {
		return err
	}
	hashes := make(map[int]hash.Hash)
	for _, n := range lost {
		hashes[n] = sha256.New()
	}
	if err := j.reconstruct(ctx, parity, hashes); err != nil {
		return err
	}
	for n, h := range hashes {
		if sum(h) != x.Digests[n] {
			return fmt.Errorf("volume %s, as parity gives it, has another digest than the index says", x.FileName(n))
		}
	}
	return nil
}

// openParity opens the first want intact parity volumes, by number.
func (j *joiner) openParity(ctx context.Context, want int) (map[int]*os.File, error) {
	x := j.set.Index
	out := make(map[int]*os.File)
	for n := x.Data; n < x.Volumes() && len(out) < want; n++ {
		ok, err := j.set.intact(ctx, n, &j.report.States[n], j.count)
		if err != nil {
			return out, err
		}
		if !ok {
			continue
		}
		f, _, err := regular.Open(j.report.States[n].Path)
		if err != nil {
			return out, err
		}
		out[n] = f
	}
	if len(out) < want {
		return out, j.report.Err()
	}
	return out, nil
}

func closeAll(files map[int]*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// reconstruct computes the volumes that hashes has, and writes and hashes them.
// The other data volumes stand in the output already.
func (j *joiner) reconstruct(ctx context.Context, parity map[int]*os.File, hashes map[int]hash.Hash) error {
	l := &j.set.Index.Layout
	code, err := l.coder()
	if err != nil {
		return err
	}
	buffers := reedsolomon.AllocAligned(l.Volumes(), int(l.stripe()))
	shards := make([][]byte, l.Volumes())
	required := make([]bool, l.Data)
	for n := range hashes {
		required[n] = true
	}
	return l.stripes(ctx, func(off, size int64) error {
		for n := range shards {
			if err := j.load(shards, buffers, parity, n, off, size, n < l.Data && required[n]); err != nil {
				return err
			}
		}
		if err := code.ReconstructSome(shards, required); err != nil {
			return err
		}
		for n, h := range hashes {
			if err := j.writeRestored(n, shards[n], off, h); err != nil {
				return err
			}
		}
		return nil
	})
}

// load fills shard n of a stripe, or leaves it empty.
func (j *joiner) load(shards, buffers [][]byte, parity map[int]*os.File, n int, off, size int64, lost bool) error {
	l := &j.set.Index.Layout
	shards[n] = buffers[n][:0]
	var r io.ReaderAt
	switch f, ok := parity[n]; {
	case ok:
		r = f
	case lost || n >= l.Data:
		return nil
	default:
		r = io.NewSectionReader(j.out, int64(n)*l.Payload, l.payload(n))
	}
	shards[n] = buffers[n][:size]
	if err := readShard(r, shards[n], off, l.payload(n)); err != nil {
		return fmt.Errorf("cannot read volume %s again: %w", l.FileName(n), bare(err))
	}
	return nil
}

func (j *joiner) writeRestored(n int, b []byte, off int64, h hash.Hash) error {
	l := &j.set.Index.Layout
	b = b[:max(0, min(int64(len(b)), l.payload(n)-off))]
	h.Write(b)
	if _, err := j.out.WriteAt(b, int64(n)*l.Payload+off); err != nil {
		return errors.Join(errWrite, bare(err))
	}
	_, err := j.count.Write(b)
	return err
}
