package volume

import (
	"context"
	"fmt"
	"io"
)

// Mend is for who has read what cannot be right. It compares every volume with
// its digest, which reads all of them, and goes on without those that are
// damaged: what they hold is restored from the others. It gives their usual
// names, less those that another call has found before. Where parity does not
// make up for them the error names them, and nothing changes.
func (r *Reader) Mend(ctx context.Context) ([]string, error) {
	r.mending.Lock()
	defer r.mending.Unlock()
	x := r.set.Index
	var bad []int
	var names []string
	for n := range r.files {
		f := r.file(n)
		if f == nil {
			continue
		}
		digest, err := digestOf(ctx, f, x.payload(n), io.Discard)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if r.set.compare(n, digest, err) != nil {
			bad, names = append(bad, n), append(names, x.FileName(n))
		}
	}
	if len(bad) == 0 {
		return nil, nil
	}
	if lost := append(r.Lost(), names...); len(lost) > x.Parity {
		return nil, fmt.Errorf("cannot read %q: %w", x.Name, lostError(lost, x.Parity))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range bad {
		r.damaged[n].Store(true)
	}
	r.kept = [blocks]block{} // what the damaged ones gave
	return names, nil
}
