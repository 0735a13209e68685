package metadata

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Times of a running server.
const (
	interval    = 500 * time.Millisecond // between looks at the files
	grace       = 10 * time.Second       // for downloads under way at the end
	headerTime  = 10 * time.Second
	idleTime    = time.Minute
	headerBytes = 16 << 10
)

// Run serves on a listener until ctx is done, and follows the files meanwhile.
// Polling finds changes on every file system, also those of other machines.
// Downloads under way then get some seconds to end. Files that cannot be read
// are logged, and what was read before stays in sight.
func (s *Server) Run(ctx context.Context, l net.Listener, loader *Loader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelWarn),
	}
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		s.follow(ctx, loader)
	}()
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = s.stop(h)
	}
	cancel()
	<-followed
	return err
}

// stop ends a server in order, and then at once.
func (s *Server) stop(h *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := h.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.opts.Log.Warn("downloads were cut off", "after", grace.String())
		err = h.Close()
	}
	return err
}

// follow loads the files again and again.
func (s *Server) follow(ctx context.Context, loader *Loader) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.Reload(ctx, loader)
		}
	}
}

// Reload shows what has changed in the files, and logs what cannot be shown.
func (s *Server) Reload(ctx context.Context, loader *Loader) {
	state, warnings, err := loader.Load(ctx)
	if ctx.Err() != nil {
		return
	}
	for _, w := range warnings {
		s.opts.Log.Warn("not shown", "error", w.Error())
	}
	if err != nil {
		s.opts.Log.Error("cannot load", "error", err.Error())
	}
	if state != nil {
		s.Show(state)
		s.opts.Log.Info("loaded", "envelopes", len(state.patches))
	}
}
