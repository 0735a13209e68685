package atomicfile

import (
	"context"
	"io"
)

// copyStep is how many bytes are copied between two looks at the context.
const copyStep = 16 << 20

// CopyFrom appends n bytes of src, from offset on, and tells count of each
// piece. The system copies where it can, without the bytes passing through this
// process. src may be written to meanwhile, behind these bytes.
func (f *File) CopyFrom(ctx context.Context, src *File, offset, n int64, count func(int64)) error {
	f.synced = false
	for n > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		step, err := copyRange(f.f, src.f, offset, min(n, copyStep))
		if err != nil {
			return err
		}
		count(step)
		offset += step
		n -= step
	}
	return nil
}

// copyThrough copies by reading and writing.
func copyThrough(dst io.Writer, src io.ReaderAt, offset, n int64) (int64, error) {
	done, err := io.Copy(struct{ io.Writer }{dst}, io.NewSectionReader(src, offset, n))
	if err == nil && done < n {
		err = io.ErrUnexpectedEOF
	}
	return done, err
}
