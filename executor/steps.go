package executor

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/opencontainers/go-digest"
)

// logLines is how many of a failed step's last lines its error quotes.
const logLines = 20

// A BuildError is a failed build: which image, which step, where in the
// Dockerfile, and what the step said last.
type BuildError struct {
	Address string   // of the image
	Step    string   // the step's name, for example "[2/4] RUN make"; may be empty
	File    string   // of the Dockerfile, relative to the project; may be empty
	Line    int      // 1-based; 0 where it is not known
	Log     []string // the last lines of the step's output
	Err     error
}

// Error gives the whole in several lines, the reason last.
func (e *BuildError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cannot build %s", e.Address)
	if e.File != "" && e.Line > 0 {
		fmt.Fprintf(&b, "\n  at %s:%d", e.File, e.Line)
	}
	if e.Step != "" {
		fmt.Fprintf(&b, "\n  in step %s", e.Step)
	}
	for _, l := range e.Log {
		fmt.Fprintf(&b, "\n  | %s", l)
	}
	fmt.Fprintf(&b, "\n  %s", reason(e.Err))
	return b.String()
}

// reason is what BuildKit says without what BuildError says by itself: that
// solving failed, and the command of a step.
func reason(err error) string {
	text := strings.TrimPrefix(err.Error(), "failed to solve: ")
	if _, after, ok := strings.Cut(text, "did not complete successfully: "); ok && strings.HasPrefix(text, "process ") {
		return after
	}
	return text
}

// Unwrap returns the reason.
func (e *BuildError) Unwrap() error { return e.Err }

// A stepWatch remembers of a build what its error and its summary need.
type stepWatch struct {
	mu     sync.Mutex
	names  map[digest.Digest]string
	cached map[digest.Digest]bool
	ran    map[digest.Digest]bool
	failed digest.Digest
	logs   map[digest.Digest]*tail
}

func newStepWatch() *stepWatch {
	return &stepWatch{
		names:  make(map[digest.Digest]string),
		cached: make(map[digest.Digest]bool),
		ran:    make(map[digest.Digest]bool),
		logs:   make(map[digest.Digest]*tail),
	}
}

func (w *stepWatch) see(s *client.SolveStatus) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, v := range s.Vertexes {
		w.names[v.Digest] = v.Name
		if step := isStep(v.Name); step && v.Cached {
			w.cached[v.Digest] = true
		} else if step && v.Completed != nil {
			w.ran[v.Digest] = true
		}
		if v.Error != "" && !strings.Contains(v.Error, "context canceled") {
			w.failed = v.Digest
		}
	}
	for _, l := range s.Logs {
		t := w.logs[l.Vertex]
		if t == nil {
			t = &tail{}
			w.logs[l.Vertex] = t
		}
		t.add(l.Data)
	}
}

// stepName is how BuildKit names the steps of a Dockerfile: "[2/5] RUN …" or
// "[linux/amd64 build 2/5] RUN …", and not "[internal] load …".
var stepName = regexp.MustCompile(`^\[([^]]* )?\d+/\d+\] `)

func isStep(name string) bool { return stepName.MatchString(name) }

func (w *stepWatch) counts() (steps, cached int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for d := range w.cached {
		if w.ran[d] {
			delete(w.ran, d)
		}
	}
	return len(w.cached) + len(w.ran), len(w.cached)
}

// explain makes the error of a failed solve. prefix is the folder of the build
// context, where the Dockerfile's name is relative to.
func (w *stepWatch) explain(address, dockerfile string, err error) *BuildError {
	e := &BuildError{Address: address, Err: err}
	for _, s := range errdefs.Sources(err) {
		if len(s.Ranges) > 0 && s.Ranges[0].Start != nil {
			e.File, e.Line = dockerfile, int(s.Ranges[0].Start.Line)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	failed := w.failed
	var vertex *errdefs.VertexError
	if errors.As(err, &vertex) {
		failed = digest.Digest(vertex.Digest)
	}
	e.Step = w.names[failed]
	if t := w.logs[failed]; t != nil {
		e.Log = t.last()
	}
	return e
}

// A tail keeps the last lines of a log.
type tail struct{ data []byte }

const tailBytes = 16 << 10

func (t *tail) add(b []byte) {
	t.data = append(t.data, b...)
	if len(t.data) > 2*tailBytes {
		t.data = append([]byte(nil), t.data[len(t.data)-tailBytes:]...)
	}
}

func (t *tail) last() []string {
	text := bytes.TrimRight(t.data, "\r\n")
	if len(text) == 0 {
		return nil
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) > logLines {
		lines = lines[len(lines)-logLines:]
	}
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, "\r")
	}
	return lines
}
