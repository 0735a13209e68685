package delta

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// A pipe works on values in parallel and passes the results on in the order of
// the values. Nothing depends on how many work.
type pipe[T, R any] struct {
	work func(context.Context, T) (R, error)
	out  func(R) error
	end  func() error // after the last result; nil for nothing

	group   *errgroup.Group
	ctx     context.Context
	results chan chan R
	slots   chan struct{}
}

// newPipe starts a pipe of parallel workers within g, whose context ctx is. At
// most twice as many values are under way.
func newPipe[T, R any](ctx context.Context, g *errgroup.Group, parallel int, work func(context.Context, T) (R, error), out func(R) error) *pipe[T, R] {
	p := &pipe[T, R]{
		work: work, out: out, group: g, ctx: ctx,
		results: make(chan chan R, parallel), slots: make(chan struct{}, parallel),
	}
	g.Go(p.drain)
	return p
}

func (p *pipe[T, R]) drain() error {
	for c := range p.results {
		select {
		case r := <-c:
			if err := p.out(r); err != nil {
				return err
			}
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		}
	}
	if p.end != nil && p.ctx.Err() == nil {
		return p.end()
	}
	return nil
}

// put hands over a value, and waits while too many are under way.
func (p *pipe[T, R]) put(v T) error {
	c := make(chan R, 1)
	select {
	case p.slots <- struct{}{}:
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
	select {
	case p.results <- c:
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
	p.group.Go(func() error {
		defer func() { <-p.slots }()
		r, err := p.work(p.ctx, v)
		if err != nil {
			return err
		}
		c <- r
		return nil
	})
	return nil
}

// close says that no more values come.
func (p *pipe[T, R]) close() { close(p.results) }

// A pool keeps values that are dear to make, for use by one at a time.
type pool[T any] struct {
	mu   sync.Mutex
	free []T
	make func() T
}

func (p *pool[T]) get() T {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		v := p.free[n-1]
		p.free = p.free[:n-1]
		return v
	}
	return p.make()
}

func (p *pool[T]) put(v T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, v)
}
