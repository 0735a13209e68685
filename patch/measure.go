package patch

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Measure gives the size in bytes of the file that a Writer makes of d. It goes
// the Writer's way, with a file that only counts: open is called for the
// entries whose size in the ZIP depends on their content, which is never a
// blob. Like Create it refuses a description that is wrong.
func Measure(ctx context.Context, d *Description, open func(context.Context, Content) (io.ReadCloser, error)) (int64, error) {
	n, err := measure(ctx, d, open)
	if err != nil {
		return 0, fmt.Errorf("cannot measure patch: %w", err)
	}
	return n, nil
}

func measure(ctx context.Context, d *Description, open func(context.Context, Content) (io.ReadCloser, error)) (int64, error) {
	if err := d.Check(); err != nil {
		return 0, err
	}
	if _, err := FileName(d.ID); err != nil {
		return 0, err
	}
	w, err := newWriter(nowhere{}, d, nil)
	if err != nil {
		return 0, err
	}
	for {
		c, more := w.Next()
		if !more {
			break
		}
		if err := w.measure(ctx, c, open); err != nil {
			return 0, err
		}
	}
	if err := w.Finish(); err != nil {
		return 0, err
	}
	return w.off, nil
}

func (w *Writer) measure(ctx context.Context, c Content, open func(context.Context, Content) (io.ReadCloser, error)) error {
	if !deflatable(c) {
		return w.skip(c)
	}
	r, err := open(ctx, c)
	if err != nil {
		return fmt.Errorf("cannot read entry %q: %w", c.Path, err)
	}
	return errors.Join(w.Add(ctx, c.Path, r), r.Close())
}

// skip counts a stored entry: its header has the same length whatever the check
// sum is.
func (w *Writer) skip(c Content) error {
	if err := w.addMade(); err != nil {
		return err
	}
	w.next++
	r := w.record(c)
	w.off += int64(len(r.local())) + c.Size
	return nil
}

// nowhere is an output without bytes.
type nowhere struct{}

func (nowhere) Write(b []byte) (int, error)            { return len(b), nil }
func (nowhere) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
func (nowhere) ReadAt([]byte, int64) (int, error)      { return 0, errors.ErrUnsupported }
func (nowhere) Sync() error                            { return errors.ErrUnsupported }
func (nowhere) Publish(string) error                   { return errors.ErrUnsupported }
func (nowhere) Abort()                                 {}
