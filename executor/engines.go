package executor

import (
	"context"
	"errors"
	"sync"

	"github.com/flotobuild/flotobuild/executor/engine"
)

// engines connects to the build engines when the first image needs them, and
// spreads images over them.
type engines struct {
	opts engine.Options

	mu    sync.Mutex
	conns []*engine.Conn // by host; nil until connected
	next  int
}

func newEngines(opts engine.Options) *engines {
	return &engines{opts: opts, conns: make([]*engine.Conn, max(1, len(opts.Hosts)))}
}

// get chooses an engine for an image: the hosts in turn.
func (e *engines) get(ctx context.Context) (*engine.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.next % len(e.conns)
	e.next++
	if e.conns[n] != nil {
		return e.conns[n], nil
	}
	opts := e.opts
	if len(opts.Hosts) > 0 {
		opts.Hosts = opts.Hosts[n : n+1]
	}
	c, err := engine.Connect(ctx, opts)
	if err != nil {
		return nil, err
	}
	e.conns[n] = c
	return c, nil
}

func (e *engines) close() error {
	var errs []error
	for _, c := range e.conns {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
