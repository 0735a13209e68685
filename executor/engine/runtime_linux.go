package engine

import (
	"context"
	"sync"

	"github.com/moby/buildkit/executor"
	resourcestypes "github.com/moby/buildkit/executor/resources/types"
	"github.com/moby/buildkit/executor/runcexecutor"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/network"
)

// lazyRuntime looks for runc when the first RUN step needs it, so that builds
// without RUN work on machines that have none, and a runc installed later is
// found by an engine that runs already.
type lazyRuntime struct {
	name     string // as FindRunc takes it
	opt      runcexecutor.Opt
	networks map[pb.NetMode]network.Provider

	mu   sync.Mutex
	real executor.Executor
}

func (l *lazyRuntime) runtime() (executor.Executor, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.real != nil {
		return l.real, nil
	}
	path, err := FindRunc(l.name)
	if err != nil {
		return nil, err
	}
	opt := l.opt
	opt.CommandCandidates = []string{path}
	l.real, err = runcexecutor.New(opt, l.networks)
	return l.real, err
}

// Run implements executor.Executor.
func (l *lazyRuntime) Run(ctx context.Context, id string, rootfs executor.Mount, mounts []executor.Mount, process executor.ProcessInfo, started chan<- struct{}) (resourcestypes.Recorder, error) {
	r, err := l.runtime()
	if err != nil {
		if started != nil {
			close(started)
		}
		return nil, err
	}
	return r.Run(ctx, id, rootfs, mounts, process, started)
}

// Exec implements executor.Executor.
func (l *lazyRuntime) Exec(ctx context.Context, id string, process executor.ProcessInfo) error {
	r, err := l.runtime()
	if err != nil {
		return err
	}
	return r.Exec(ctx, id, process)
}
