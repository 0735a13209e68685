package lsp

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/creachadair/jrpc2"
)

// A method answers requests, or takes notifications.
type method func(context.Context, *jrpc2.Request) (any, error)

// table lists the methods.
func (s *server) table() map[string]method {
	return map[string]method{
		"initialize":                       s.initialize,
		"initialized":                      s.initialized,
		"shutdown":                         s.shutdown,
		"exit":                             s.exit,
		"$/cancelRequest":                  s.cancel,
		"$/setTrace":                       ignore,
		"textDocument/didOpen":             s.didOpen,
		"textDocument/didChange":           s.didChange,
		"textDocument/didSave":             s.didSave,
		"textDocument/didClose":            s.didClose,
		"workspace/didChangeWatchedFiles":  s.didChangeFiles,
		"workspace/didChangeConfiguration": ignore,
		"textDocument/completion":          s.completion,
		"textDocument/hover":               s.hover,
		"textDocument/definition":          s.definition,
		"textDocument/documentSymbol":      s.symbols,
		"textDocument/formatting":          s.formatting,
	}
}

func ignore(context.Context, *jrpc2.Request) (any, error) { return nil, nil }

// Assign implements jrpc2.Assigner. An unknown method has no handler, which the
// editor learns. What was asked first is answered first, so that an answer is
// about the documents as they were when it was asked for.
func (s *server) Assign(ctx context.Context, name string) jrpc2.Handler {
	m, ok := s.methods[name]
	if !ok {
		return nil
	}
	if name == "exit" || name == "$/cancelRequest" {
		return jrpc2.Handler(m) // these wait for nothing
	}
	begin, end := s.turns.next(ctx)
	return func(ctx context.Context, req *jrpc2.Request) (any, error) {
		defer end()
		begin()
		return s.answer(ctx, name, m, req)
	}
}

// answer carries out a request. A panic is an error of this request alone.
func (s *server) answer(ctx context.Context, name string, call method, req *jrpc2.Request) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log(ctx, fmt.Sprintf("%s failed: %v\n%s", name, p, debug.Stack()))
			out, err = nil, jrpc2.Errorf(jrpc2.InternalError, "%s failed: %v", name, p)
		}
	}()
	if err := s.allowed(name); err != nil {
		return nil, err
	}
	if ctx.Err() == nil {
		out, err = call(ctx, req)
	}
	if ctx.Err() != nil {
		return nil, jrpc2.Errorf(requestCancelled, "the request was cancelled")
	}
	return out, err
}

// allowed refuses what does not fit the state of the session.
func (s *server) allowed(name string) error {
	switch at := s.at(); {
	case name == "initialize" && at != waiting:
		return jrpc2.Errorf(jrpc2.InvalidRequest, "the session is initialized already")
	case name == "initialize":
		return nil
	case at == waiting:
		return jrpc2.Errorf(serverNotInitialized, "the first request must be initialize")
	case at == stopped:
		return jrpc2.Errorf(jrpc2.InvalidRequest, "the session was shut down")
	}
	return nil
}

// maxWaiting is how many requests may wait for their turn. It is more than an
// editor sends, because those that wait would keep those from running that they
// wait for.
const maxWaiting = 1 << 20

// turns are the order of requests. They are taken as requests come in, one after
// the other.
type turns struct{ last chan struct{} }

// next takes the next turn: begin waits for it, and end gives it on. A request
// that is cancelled before it began gives its turn on, too.
func (t *turns) next(ctx context.Context) (begin, end func()) {
	before, own := t.last, make(chan struct{})
	t.last = own
	begin = func() {
		if before != nil {
			<-before
		}
	}
	end = sync.OnceFunc(func() { close(own) })
	context.AfterFunc(ctx, func() {
		begin()
		end()
	})
	return begin, end
}
