package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/flotobuild/flotobuild/lang"
)

// patience is how long a test waits for a message.
const patience = 2 * time.Minute

// A client is the editor's side of a session.
type client struct {
	t       *testing.T
	stream  *stream
	id      int
	mu      sync.Mutex
	answers map[string]chan message
	pushed  chan message
	ended   chan error
	lost    chan error // the end of the server's messages
}

type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// start runs a server over pipes.
func start(t *testing.T, files fstest.MapFS, opts Options) *client {
	t.Helper()
	return startWith(t, files, opts, nil)
}

// startWith runs a server that has further methods.
func startWith(t *testing.T, files fstest.MapFS, opts Options, more map[string]method) *client {
	t.Helper()
	if opts.Open == nil {
		opts.Open = func(string) (fs.FS, lang.Options, error) { return files, lang.Options{ToolVersion: "0.1.0"}, nil }
	}
	opts.Delay = time.Millisecond
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	c := &client{
		t: t, stream: newStream(fromServer, toServer), answers: make(map[string]chan message),
		pushed: make(chan message, 1000), ended: make(chan error, 1), lost: make(chan error, 1),
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		c.stream.Close()
	})
	s := newServer(opts)
	maps.Copy(s.methods, more)
	go func() { c.ended <- s.serve(ctx, in, out) }()
	go c.read()
	return c
}

func (c *client) read() {
	for {
		b, err := c.stream.Recv()
		if err != nil {
			c.lost <- err
			return
		}
		var m message
		if err := json.Unmarshal(b, &m); err != nil {
			c.lost <- err
			return
		}
		if m.Method != "" {
			c.pushed <- m
			continue
		}
		c.mu.Lock()
		answer := c.answers[string(m.ID)]
		c.mu.Unlock()
		if answer != nil {
			answer <- m
		}
	}
}

func (c *client) send(m map[string]any) {
	c.t.Helper()
	m["jsonrpc"] = "2.0"
	b, err := json.Marshal(m)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.stream.Send(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) notify(method string, params any) {
	c.t.Helper()
	c.send(map[string]any{"method": method, "params": params})
}

// begin sends a request and gives its id and where the answer comes.
func (c *client) begin(method string, params any) (int, chan message) {
	c.t.Helper()
	c.id++
	answer := make(chan message, 1)
	c.mu.Lock()
	c.answers[fmt.Sprint(c.id)] = answer
	c.mu.Unlock()
	c.send(map[string]any{"id": c.id, "method": method, "params": params})
	return c.id, answer
}

func (c *client) request(method string, params any) message {
	c.t.Helper()
	_, answer := c.begin(method, params)
	return c.await(method, answer)
}

func (c *client) await(what string, answer chan message) message {
	c.t.Helper()
	select {
	case m := <-answer:
		return m
	case <-time.After(patience):
		c.t.Fatalf("no answer to %s", what)
		return message{}
	}
}

// call makes a request that must succeed.
func (c *client) call(method string, params, result any) {
	c.t.Helper()
	m := c.request(method, params)
	if m.Error != nil {
		c.t.Fatalf("%s: %d %s", method, m.Error.Code, m.Error.Message)
	}
	if err := json.Unmarshal(m.Result, result); err != nil {
		c.t.Fatalf("%s: %v: %s", method, err, m.Result)
	}
}

// initialize begins the session with an editor that has all that the server
// asks for, but UTF-8.
func (c *client) initialize() {
	c.t.Helper()
	var result any
	c.call("initialize", map[string]any{"rootUri": "file:///p", "capabilities": map[string]any{
		"textDocument": map[string]any{"completion": map[string]any{"completionItem": map[string]any{"snippetSupport": true}}},
	}}, &result)
	c.notify("initialized", map[string]any{})
}

func (c *client) open(uri, text string) {
	c.t.Helper()
	c.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "version": 1, "languageId": "flotobuild", "text": text}})
}

// diagnostics waits for those of a file that satisfy a condition.
func (c *client) diagnostics(uri string, want func([]diagnostic) bool) []diagnostic {
	c.t.Helper()
	last := "none came"
	deadline := time.After(patience)
	for {
		select {
		case m := <-c.pushed:
			var p publishParams
			if m.Method != "textDocument/publishDiagnostics" || json.Unmarshal(m.Params, &p) != nil || p.URI != uri {
				continue
			}
			if want(p.Diagnostics) {
				return p.Diagnostics
			}
			last = string(m.Params)
		case <-deadline:
			c.t.Fatalf("%s never had the diagnostics that were expected; the last: %s", uri, last)
		}
	}
}

func none(d []diagnostic) bool { return len(d) == 0 }

func some(part string) func([]diagnostic) bool {
	return func(all []diagnostic) bool {
		for _, d := range all {
			if strings.Contains(d.Message, part) {
				return true
			}
		}
		return false
	}
}

// end waits for the server's end.
func (c *client) end() error {
	c.t.Helper()
	select {
	case err := <-c.ended:
		return err
	case <-time.After(patience):
		c.t.Fatal("the server does not end")
		return nil
	}
}

// marked takes the mark out of a text and gives its position in UTF-16.
func marked(t *testing.T, src string) (string, position) {
	t.Helper()
	i := strings.Index(src, "▮")
	if i < 0 {
		t.Fatalf("no mark in %q", src)
	}
	text := strings.Replace(src, "▮", "", 1)
	return text, newLineIndex([]byte(text), utf16Encoding).position(i)
}

func where(uri string, p position) map[string]any {
	return map[string]any{"textDocument": map[string]any{"uri": uri}, "position": p}
}
