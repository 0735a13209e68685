package volume

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/klauspost/reedsolomon"

	"github.com/flotobuild/flotobuild/internal/regular"
)

const (
	blockSize = 64 << 10 // bytes of a missing volume that are restored at once
	blocks    = 16       // such blocks that are kept
)

// A Reader reads the file of a set out of its volumes. What volumes are missing
// it restores while reading, as far as parity allows. It does not check
// digests: what is read has its own, and who finds it wrong calls Mend. It is
// safe for concurrent use.
type Reader struct {
	set   *Set
	files []*os.File // of all volumes; nil where one is missing
	// damaged volumes count as missing. They are set under mu.
	damaged []atomic.Bool
	code    reedsolomon.Encoder
	mending sync.Mutex // held by Mend

	mu     sync.Mutex
	kept   [blocks]block
	oldest int
}

// A block is a restored piece of a missing volume.
type block struct {
	volume int
	off    int64
	data   []byte
}

// Open opens the volumes of a set that are at hand. Reading where a volume is
// missing for good fails with an error that names it.
func (s *Set) Open() (*Reader, error) {
	r := &Reader{set: s, files: make([]*os.File, s.Index.Volumes()), damaged: make([]atomic.Bool, s.Index.Volumes())}
	for n, files := range s.Files {
		for _, file := range files {
			if r.files[n] != nil || file.Err != nil {
				continue
			}
			f, st, err := regular.Open(file.Path)
			if err == nil && st.Size() != s.Index.FileSize(n) {
				f.Close()
				err = fmt.Errorf("cannot open volume %q: it has changed meanwhile", file.Path)
			}
			if err != nil {
				return nil, errors.Join(err, r.Close())
			}
			r.files[n] = f
		}
	}
	if s.Index.Parity > 0 {
		var err error
		if r.code, err = s.Index.coder(); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	return r, nil
}

// Open opens the file whose volumes, or folders with them, are named. Further
// volumes are looked for beside them.
func Open(paths ...string) (*Reader, error) {
	s, err := Find(paths, nil)
	if err != nil {
		return nil, err
	}
	return s.Open()
}

// Set is what the reader reads.
func (r *Reader) Set() *Set { return r.set }

// Size is that of the file in bytes.
func (r *Reader) Size() int64 { return r.set.Index.Size }

// Lost are the usual names of the volumes that cannot be read.
func (r *Reader) Lost() []string {
	var out []string
	for n := range r.files {
		if r.file(n) == nil {
			out = append(out, r.set.Index.FileName(n))
		}
	}
	return out
}

// Err says which volumes are lost, when the file cannot be read as a whole.
func (r *Reader) Err() error {
	if lost := r.Lost(); len(lost) > r.set.Index.Parity {
		return lostError(lost, r.set.Index.Parity)
	}
	return nil
}

// file gives the file of a volume; nil where there is none that is any good.
func (r *Reader) file(n int) *os.File {
	if r.damaged[n].Load() {
		return nil
	}
	return r.files[n]
}

// Close closes the volumes.
func (r *Reader) Close() error {
	var errs []error
	for _, f := range r.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// ReadAt reads from the file.
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	l := &r.set.Index.Layout
	if off < 0 {
		return 0, errors.New("cannot read before the beginning of a file")
	}
	done := 0
	for done < len(p) && off < l.Size {
		n := int(off / l.Payload)
		at := off - int64(n)*l.Payload
		part := p[done:min(int64(len(p)), int64(done)+l.payload(n)-at)]
		got, err := r.read(n, part, at)
		done, off = done+got, off+int64(got)
		if err != nil {
			return done, err
		}
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// read fills p from the place off of volume n.
func (r *Reader) read(n int, p []byte, off int64) (int, error) {
	f := r.file(n)
	if f == nil {
		return r.readMissing(n, p, off)
	}
	got, err := f.ReadAt(p, off)
	if got == len(p) {
		return got, nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return got, fmt.Errorf("cannot read volume %q: %w", f.Name(), bare(err))
}

// readMissing fills p from volume n, which is missing.
func (r *Reader) readMissing(n int, p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	done := 0
	for done < len(p) {
		at := off + int64(done)
		b, err := r.block(n, at-at%blockSize)
		if err != nil {
			return done, err
		}
		done += copy(p[done:], b[at%blockSize:])
	}
	return done, nil
}

// block gives the block of volume n that begins at off, restored or kept.
func (r *Reader) block(n int, off int64) ([]byte, error) {
	for _, b := range r.kept {
		if b.data != nil && b.volume == n && b.off == off {
			return b.data, nil
		}
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", r.set.Index.Name, err)
	}
	data, err := r.restore(n, off)
	if err != nil {
		return nil, err
	}
	r.kept[r.oldest] = block{n, off, data}
	r.oldest = (r.oldest + 1) % blocks
	return data, nil
}

// restore computes a block of volume n from the same place of the others.
func (r *Reader) restore(n int, off int64) ([]byte, error) {
	l := &r.set.Index.Layout
	size := min(blockSize, l.Payload-off)
	shards := make([][]byte, l.Volumes())
	have := 0
	for i := range r.files {
		f := r.file(i)
		if f == nil || have == l.Data {
			continue
		}
		shards[i] = make([]byte, size)
		if err := readShard(f, shards[i], off, l.payload(i)); err != nil {
			return nil, fmt.Errorf("cannot read volume %q: %w", f.Name(), bare(err))
		}
		have++
	}
	required := make([]bool, l.Data)
	required[n] = true
	if err := r.code.ReconstructSome(shards, required); err != nil {
		return nil, fmt.Errorf("cannot restore volume %s: %w", l.FileName(n), err)
	}
	return shards[n], nil
}
