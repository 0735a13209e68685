package engine

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/stats"
)

// idleTimer fires once nobody has been connected for a while.
type idleTimer struct {
	timeout time.Duration
	expired chan struct{}

	mu    sync.Mutex
	conns int
	timer *time.Timer
}

func newIdleTimer(timeout time.Duration) *idleTimer {
	if timeout == 0 {
		timeout = IdleTimeout
	}
	t := &idleTimer{timeout: timeout, expired: make(chan struct{})}
	t.timer = time.AfterFunc(timeout, t.fire)
	return t
}

func (t *idleTimer) fire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conns == 0 {
		select {
		case <-t.expired:
		default:
			close(t.expired)
		}
	}
}

// connected tells whether anybody is.
func (t *idleTimer) connected() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conns > 0
}

// HandleConn implements stats.Handler.
func (t *idleTimer) HandleConn(_ context.Context, s stats.ConnStats) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch s.(type) {
	case *stats.ConnBegin:
		t.conns++
		t.timer.Stop()
	case *stats.ConnEnd:
		t.conns--
		if t.conns == 0 {
			t.timer.Reset(t.timeout)
		}
	}
}

// TagConn implements stats.Handler.
func (t *idleTimer) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// TagRPC implements stats.Handler.
func (t *idleTimer) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC implements stats.Handler.
func (t *idleTimer) HandleRPC(context.Context, stats.RPCStats) {}
