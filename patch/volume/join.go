package volume

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// A joiner writes the file of a set.
type joiner struct {
	set    *Set
	out    *atomicfile.File
	count  io.Writer
	report *Report
	whole  hash.Hash // nil when the file must be read for it
}

// Join writes the file of a set to path, where nothing may stand yet. Volumes
// that are missing or damaged are restored from the others where parity allows
// it. The file gets its name when its digest is that of the index; after a
// failure there is none. The report tells of the data volumes, and of as many
// parity volumes as were needed.
func Join(ctx context.Context, s *Set, path string, o Options) (*Report, error) {
	j := &joiner{set: s, count: o.progress(), report: s.report(), whole: sha256.New()}
	if err := j.join(ctx, path); err != nil {
		return j.report, fmt.Errorf("cannot join %q: %w", s.Index.Name, err)
	}
	return j.report, nil
}

func (j *joiner) join(ctx context.Context, path string) error {
	x := j.set.Index
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%q %w", path, fs.ErrExist)
	}
	if missing := j.set.Missing(); len(missing) > x.Parity {
		return lostError(missing, x.Parity)
	}
	dir := filepath.Dir(path)
	if _, err := atomicfile.Sweep(dir); err != nil {
		return err
	}
	if err := checkSpace(dir, x.Size); err != nil {
		return err
	}
	out, err := atomicfile.Create(dir, 0o666)
	if err != nil {
		return err
	}
	defer out.Abort()
	j.out = out
	if err := j.copyData(ctx); err != nil {
		return err
	}
	if err := j.restore(ctx); err != nil {
		return err
	}
	if err := j.checkWhole(ctx); err != nil {
		return err
	}
	return out.Publish(path)
}

// copyData copies the data volumes to their places.
func (j *joiner) copyData(ctx context.Context) error {
	for n := range j.set.Index.Data {
		state := &j.report.States[n]
		for _, file := range j.set.Files[n] {
			var failure error
			err := j.set.withPayload(file, func(r io.ReaderAt) error {
				digest, err := j.copy(ctx, n, r)
				if failure = err; errors.Is(err, errWrite) {
					return nil
				}
				return j.set.compare(n, digest, err)
			})
			if errors.Is(failure, errWrite) {
				return failure
			}
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if state.add(file, err); state.OK {
				break
			}
			j.whole = nil
		}
		if !state.OK {
			j.whole = nil
		}
	}
	return nil
}

// errWrite tells a failure of the output from that of a volume, which can be
// made up for.
var errWrite = errors.New("cannot write the joined file")

// copy copies the payload of volume n and gives its digest.
func (j *joiner) copy(ctx context.Context, n int, r io.ReaderAt) (string, error) {
	x := j.set.Index
	w := io.NewOffsetWriter(j.out, int64(n)*x.Payload)
	h := sha256.New()
	var size int64
	err := stream(ctx, io.NewSectionReader(r, 0, x.payload(n)), func(p []byte) error {
		if j.whole == nil {
			h.Write(p)
		} else {
			both(j.whole, h, p)
		}
		size += int64(len(p))
		if _, err := w.Write(p); err != nil {
			return fmt.Errorf("%w: %w", errWrite, bare(err))
		}
		_, err := j.count.Write(p)
		return err
	})
	if err == nil && size < x.payload(n) {
		err = io.ErrUnexpectedEOF
	}
	return sum(h), err
}

// checkWhole compares the digest of the whole, which is read again where its
// parts did not come in order.
func (j *joiner) checkWhole(ctx context.Context) error {
	x := j.set.Index
	var digest string
	if j.whole != nil {
		digest = sum(j.whole)
	} else {
		var err error
		if digest, err = digestOf(ctx, j.out, x.Size, j.count); err != nil {
			return bare(err)
		}
	}
	if digest != x.SHA256 {
		return errors.New("the index contradicts itself: its volumes are intact, and the whole has another digest than it says")
	}
	return nil
}
