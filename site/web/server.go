package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"time"

	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/access"
	"github.com/flotobuild/flotobuild/site/incoming"
	"github.com/flotobuild/flotobuild/site/registry"
)

// IncomingDir is the folder in a site's store where patch files arrive.
const IncomingDir = "incoming"

// keepUploads is how long an upload waits for its sender to go on.
const keepUploads = 7 * 24 * time.Hour

// A Deployer brings the containers of the active patch up. It tells what it
// does, and writes to the site's history what became of it. An error is also
// that containers did not come up and what ran before was brought back.
type Deployer interface {
	Redeploy(ctx context.Context, by string, to Listener) error
}

// A Listener is told what is being done.
type Listener interface {
	Log(line string)
	Progress(p Progress)
}

// Options set up a server.
type Options struct {
	Site *site.Site
	// Tokens says who may do what.
	Tokens *access.File
	// Anonymous lets everybody look on, and pull, as long as there is no token.
	Anonymous bool
	// AnonymousPull lets everybody pull images, whatever tokens there are.
	AnonymousPull bool
	// Deployer, when set, is offered to operators.
	Deployer Deployer
	// InUse, when set, gives the ids of patches that hosts run or may be brought
	// back to: a collection keeps them.
	InUse func() ([]string, error)
	// Keys open encrypted patches.
	Keys crypt.Keys
	// Secure says that connections come over TLS.
	Secure bool
	// Hosts are names of this server beyond localhost and addresses. KnownHost,
	// when set, is asked for others.
	Hosts     []string
	KnownHost func(name string) bool
	// Log gets a line for each request that changes something or fails, without
	// tokens. May be nil.
	Log *slog.Logger
	// Version is that of flotobuild, for the foot of the page.
	Version string
}

// A Server shows one site.
type Server struct {
	opts     Options
	site     *site.Site
	incoming *incoming.Folder
	registry *registry.Handler
	pages    pages
	sessions *sessions
	throttle *throttle
	tasks    *tasks
	inStore  *regexp.Regexp
	stop     context.CancelCauseFunc
	handler  http.Handler
	stall    time.Duration
}

// New makes a server. Close ends what it does.
func New(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	folder, err := incoming.Open(filepath.Join(o.Site.Dir(), IncomingDir), keepUploads)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(context.Background())
	s := &Server{
		opts: o, site: o.Site, incoming: folder, sessions: newSessions(), throttle: newThrottle(),
		stop: stop, pages: parsePages(), stall: stallTime, inStore: inStore(o.Site.Dir()),
	}
	s.tasks = &tasks{ctx: ctx, hide: s.hide}
	s.registry = registry.New(registry.Options{Blobs: o.Site.Blobs(), Releases: s.releases, Log: o.Log})
	s.handler = s.guard(s.logged(s.routes()))
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close cancels what is being done and waits for it.
func (s *Server) Close() {
	s.tasks.stop()
	s.stop(errStopping)
}

// Times of a running server.
const (
	grace       = 10 * time.Second // for requests under way at the end
	headerTime  = 10 * time.Second
	idleTime    = 2 * time.Minute
	headerBytes = 32 << 10
)

// Run serves on a listener until ctx is done. Requests under way then get some
// seconds to end. It closes the server.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	h := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug), // what scanners do to a connection
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	select {
	case err := <-ended:
		s.Close()
		return err
	case <-ctx.Done():
	}
	s.Close() // logs that browsers follow end with it
	last, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := h.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		s.opts.Log.Warn("requests were cut off", "after", grace.String())
		err = h.Close()
	}
	return err
}

// releases are the site's patches as the registry wants them.
func (s *Server) releases(ctx context.Context) ([]registry.Release, error) {
	entries, err := s.site.List(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]registry.Release, 0, len(entries))
	for _, e := range entries {
		out = append(out, registry.Release{ID: e.ID, Digest: e.DescriptionDigest, Active: e.Active, Open: s.describe(e.ID)})
	}
	return out, nil
}

// logged logs requests that change something, and those that fail.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, seen := time.Now(), &seenWriter{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		if !safeMethod(r) || seen.status >= http.StatusInternalServerError {
			s.opts.Log.Info("request", "method", r.Method, "path", r.URL.Path, "source", sourceOf(r).Addr().String(),
				"status", seen.status, "duration", time.Since(start).String())
		}
	})
}

// A seenWriter remembers the status of an answer.
type seenWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *seenWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *seenWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *seenWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
