package lsp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/creachadair/jrpc2"

	"github.com/flotobuild/flotobuild/lang"
)

// Options are what a server needs besides its streams.
type Options struct {
	// Dir is the project folder, absolute and with slashes. Empty means that the
	// editor says it.
	Dir string
	// Default is the folder where neither Dir nor the editor says one.
	Default string
	// Open gives the files of a folder, and what a configuration there depends on
	// besides them.
	Open func(dir string) (fs.FS, lang.Options, error)
	// Resolve follows links in an absolute path; nil leaves paths as they are.
	// Editors may name the project folder by a link to it.
	Resolve func(name string) string
	// Version is flotobuild's own.
	Version string
	// Delay is the time after a change before the project is evaluated.
	Delay time.Duration
}

// ErrNoShutdown says that the editor went away without the order to shut down.
// The protocol demands exit code 1 then.
var ErrNoShutdown = errors.New("the editor ended the session without shutdown")

// A server is one session with an editor.
type server struct {
	opts    Options
	rpc     *jrpc2.Server
	docs    documents
	dirty   chan struct{} // has an element when an evaluation is due
	exited  chan struct{} // closed by the notification exit
	leave   sync.Once
	methods map[string]method
	turns   turns

	mu       sync.Mutex // guards what follows
	state    state
	project  project
	enc      encoding
	snippets bool
	watches  bool // the editor can tell of files that change
	analysis *lang.Analysis
}

// A project is the folder that the session is about.
type project struct {
	dir   string // links resolved
	alias string // as the editor writes it
	files fs.FS  // nil before initialize
	opts  lang.Options
}

// A state is how far the session is.
type state int

const (
	waiting state = iota // for initialize
	running
	stopped // by shutdown
)

// Serve speaks with an editor until it ends the session, the streams end, or ctx
// is cancelled. It returns nil after an orderly end. Serve closes out, and in
// where that is an io.Closer.
func Serve(ctx context.Context, in io.Reader, out io.WriteCloser, opts Options) error {
	return newServer(opts).serve(ctx, in, out)
}

func newServer(opts Options) *server {
	s := &server{opts: opts, dirty: make(chan struct{}, 1), exited: make(chan struct{}), enc: utf16Encoding}
	s.methods = s.table()
	return s
}

func (s *server) serve(ctx context.Context, in io.Reader, out io.WriteCloser) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.rpc = jrpc2.NewServer(s, &jrpc2.ServerOptions{
		AllowPush: true, DisableBuiltin: true, Concurrency: maxWaiting,
		NewContext: func() context.Context { return ctx },
	})
	s.rpc.Start(newStream(in, out))
	ended := make(chan error, 1)
	go func() { ended <- s.rpc.Wait() }()
	go s.evaluations(ctx)
	select {
	case err := <-ended:
		return s.outcome(err)
	case <-s.exited:
		s.rpc.Stop()
		return s.outcome(nil)
	case <-ctx.Done():
		s.rpc.Stop()
		return ctx.Err()
	}
}

// outcome is the result of a session that has ended.
func (s *server) outcome(err error) error {
	if err != nil {
		return fmt.Errorf("cannot go on speaking with the editor: %w", err)
	}
	if s.at() != stopped {
		return ErrNoShutdown
	}
	return nil
}

func (s *server) at() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// log writes into the editor's log of the server.
func (s *server) log(ctx context.Context, text string) {
	const errorMessage = 1
	_ = s.rpc.Notify(ctx, "window/logMessage", map[string]any{"type": errorMessage, "message": text}) // no more than the log is lost
}
