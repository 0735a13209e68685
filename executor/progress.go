package executor

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/opencontainers/go-digest"
)

// ProgressModes are the modes of progress, as -progress takes them.
var ProgressModes = []string{"auto", "plain", "tty", "json", "quiet"}

// A Progress shows builds and transfers with BuildKit's own display: step by
// step on a terminal, line by line elsewhere. The zero of *Progress is silent.
type Progress struct {
	ch   chan *client.SolveStatus
	done chan error
	wg   sync.WaitGroup // senders
}

// NewProgress shows progress on w until Close; mode is one of ProgressModes.
func NewProgress(w io.Writer, mode string) (*Progress, error) {
	m := progressui.DisplayMode(mode)
	if mode == "json" {
		m = progressui.RawJSONMode
	}
	display, err := progressui.NewDisplay(w, m)
	if err != nil {
		return nil, fmt.Errorf("cannot show progress in mode %q: %w", mode, err)
	}
	p := &Progress{ch: make(chan *client.SolveStatus), done: make(chan error, 1)}
	go func() {
		// Not the command's context: what was under way is shown to its end.
		_, err := display.UpdateFrom(context.Background(), p.ch)
		for range p.ch { // never block a build
		}
		p.done <- err
	}()
	return p, nil
}

// Close waits until all is shown.
func (p *Progress) Close() error {
	if p == nil {
		return nil
	}
	p.wg.Wait()
	close(p.ch)
	return <-p.done
}

func (p *Progress) send(s *client.SolveStatus) {
	if p != nil {
		p.ch <- s
	}
}

// build shows the states of one build, its steps under the image's name, and
// returns the channel that takes them and a function that waits for their end.
func (p *Progress) build(name string, watch *stepWatch) (chan *client.SolveStatus, func()) {
	in := make(chan *client.SolveStatus)
	ended := make(chan struct{})
	if p != nil {
		p.wg.Add(1)
	}
	go func() {
		defer close(ended)
		if p != nil {
			defer p.wg.Done()
		}
		for s := range in {
			watch.see(s)
			for _, v := range s.Vertexes {
				v.Name = "[" + name + "] " + v.Name
			}
			p.send(s)
		}
	}()
	return in, func() { <-ended }
}

// A transfer shows bytes on their way.
type transfer struct {
	p       *Progress
	vertex  client.Vertex
	total   int64
	current int64
	shown   time.Time
}

// transfer begins a line for total bytes under a name.
func (p *Progress) transfer(name string, total int64) *transfer {
	now := time.Now()
	t := &transfer{p: p, total: total, vertex: client.Vertex{
		Digest: digest.FromString(name), Name: name, Started: &now,
	}}
	t.show(nil)
	return t
}

// Write implements io.Writer: it counts.
func (t *transfer) Write(b []byte) (int, error) {
	t.add(int64(len(b)))
	return len(b), nil
}

// add counts bytes.
func (t *transfer) add(n int64) {
	t.current += n
	if time.Since(t.shown) > 200*time.Millisecond {
		t.show(nil)
	}
}

// end closes the line.
func (t *transfer) end(err error) {
	now := time.Now()
	t.vertex.Completed = &now
	if err != nil {
		t.vertex.Error = err.Error()
	}
	t.show(&now)
}

func (t *transfer) show(completed *time.Time) {
	t.shown = time.Now()
	v := t.vertex
	t.p.send(&client.SolveStatus{
		Vertexes: []*client.Vertex{&v},
		Statuses: []*client.VertexStatus{{
			ID: "bytes", Vertex: v.Digest, Name: "bytes", Total: t.total, Current: t.current,
			Timestamp: t.shown, Started: v.Started, Completed: completed,
		}},
	})
}
