package web

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of tasks.
const (
	maxTasks = 50    // that are remembered
	maxLines = 10000 // of a task's log; the oldest go first
	maxLine  = 4096  // bytes
)

// A State says what became of a task.
type State string

// The states of tasks.
const (
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// errCancelled is why a task's context ends when somebody cancels it.
var errCancelled = errors.New("cancelled")

// A BusyError says that something is being done already.
type BusyError struct{ Task TaskInfo }

// Error says what.
func (e *BusyError) Error() string {
	return fmt.Sprintf("%s has begun %s %s, and one thing is done at a time", e.Task.By, article(e.Task.Kind), e.Task.Kind)
}

// A TaskInfo describes a task at one moment.
type TaskInfo struct {
	ID      int       `json:"id"` // counts from the start of the server
	Kind    string    `json:"kind"`
	Subject string    `json:"subject,omitempty"` // a patch's id, or a file's name
	By      string    `json:"by"`
	State   State     `json:"state"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Error   string    `json:"error,omitempty"`
	Hint    string    `json:"hint,omitempty"` // what can be done about it
	// BadValues says that values that only the site knows are why: they are missing,
	// or do not fit.
	BadValues bool `json:"badValues,omitempty"`
	// Patch is the one that the task was about in the end: what an import brought.
	Patch    string   `json:"patch,omitempty"`
	Progress Progress `json:"progress"`
}

// Progress says how far a task is.
type Progress struct {
	What  string `json:"what,omitempty"`
	Done  int64  `json:"done"` // bytes
	Total int64  `json:"total"`
}

// A Line is one of a task's log.
type Line struct {
	N    int       `json:"n"` // counts from 1
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// A task is something that is done to the site, or was.
type task struct {
	mu      sync.Mutex
	info    TaskInfo
	lines   []Line
	count   int           // of all lines
	changed chan struct{} // closed by the next change
	cancel  context.CancelCauseFunc
	hide    func(string) string // takes out what the network must not see
}

// logf adds a line to the log.
func (t *task) logf(format string, args ...any) {
	text := t.hide(fmt.Sprintf(format, args...))
	if len(text) > maxLine {
		text = strings.ToValidUTF8(text[:maxLine], "") + "…"
	}
	t.change(func() {
		t.count++
		t.lines = append(t.lines, Line{t.count, time.Now().UTC(), text})
		if len(t.lines) > maxLines {
			t.lines = slices.Delete(t.lines, 0, len(t.lines)-maxLines)
		}
	})
}

// Log implements Listener.
func (t *task) Log(line string) { t.logf("%s", line) }

// Progress implements Listener.
func (t *task) Progress(p Progress) { t.change(func() { t.info.Progress = p }) }

// about tells which patch the task is about.
func (t *task) about(patch string) { t.change(func() { t.info.Patch = patch }) }

func (t *task) change(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do()
	close(t.changed)
	t.changed = make(chan struct{})
}

// look gives the task as it is, the lines after the one numbered after, and what
// is closed at the next change.
func (t *task) look(after int) (TaskInfo, []Line, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, _ := slices.BinarySearchFunc(t.lines, after+1, func(l Line, n int) int { return l.N - n })
	return t.info, slices.Clone(t.lines[n:]), t.changed
}

func (t *task) see() TaskInfo {
	info, _, _ := t.look(int(^uint(0) >> 2))
	return info
}

// end says what became of the task.
func (t *task) end(ctx context.Context, err error) {
	t.change(func() {
		t.info.Ended = time.Now().UTC()
		switch {
		case err == nil:
			t.info.State = Done
		case ctx.Err() != nil:
			t.info.State, t.info.Error = Cancelled, context.Cause(ctx).Error()
		default:
			t.info.State, t.info.Error = Failed, t.hide(err.Error())
			t.info.Hint, t.info.BadValues = hintOf(err)
		}
	})
}

// hintOf says what can be done about an error, and whether it is about values of
// the site.
func hintOf(err error) (hint string, values bool) {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint(), false
	}
	hint = valuesHint(err)
	return hint, hint != ""
}

// tasks are those of a server: one at a time, and the latest of those before.
type tasks struct {
	ctx  context.Context // of the server
	hide func(string) string

	mu      sync.Mutex
	all     []*task // the oldest first
	last    int
	running *task
	wg      sync.WaitGroup
	closed  bool
}

// start begins a task, unless there is one.
func (s *tasks) start(kind, subject, by string, do func(context.Context, *task) error) (*task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errStopping
	}
	if s.running != nil {
		return nil, &BusyError{s.running.see()}
	}
	s.last++
	ctx, cancel := context.WithCancelCause(s.ctx)
	t := &task{changed: make(chan struct{}), cancel: cancel, hide: s.hide, info: TaskInfo{
		ID: s.last, Kind: kind, Subject: subject, By: by, State: Running, Started: time.Now().UTC(),
	}}
	s.all, s.running = append(s.all, t), t
	if len(s.all) > maxTasks {
		s.all = slices.Delete(s.all, 0, 1)
	}
	s.wg.Go(func() {
		err := do(ctx, t)
		if err != nil {
			t.Log(err.Error())
		}
		s.mu.Lock()
		s.running = nil
		s.mu.Unlock()
		t.end(ctx, err)
		cancel(nil)
	})
	return t, nil
}

// find gives a task by its number; nil where it is not remembered.
func (s *tasks) find(id int) *task {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.all {
		if t.info.ID == id { // never changes
			return t
		}
	}
	return nil
}

// list gives the tasks, the latest first.
func (s *tasks) list() []TaskInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []TaskInfo{}
	for _, t := range slices.Backward(s.all) {
		out = append(out, t.see())
	}
	return out
}

// current gives what is being done; nil for nothing.
func (s *tasks) current() *TaskInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return nil
	}
	info := s.running.see()
	return &info
}

// errStopping is the answer while a server stops.
var errStopping = errors.New("the server is stopping")

// stop cancels what is being done, lets nothing begin, and waits.
func (s *tasks) stop() {
	s.mu.Lock()
	s.closed = true
	if s.running != nil {
		s.running.cancel(errStopping)
	}
	s.mu.Unlock()
	s.wg.Wait()
}
