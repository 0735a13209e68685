package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// heartbeat keeps a silent connection open, and shows when it is dead.
const heartbeat = 15 * time.Second

// events sends a task's log as server-sent events while it grows: "line" with a
// Line, "task" with a TaskInfo where something else has changed. The last one is
// "end". A browser that comes back goes on behind the line that it has seen.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	t := s.taskOf(w, r)
	if t == nil {
		return
	}
	after, err := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	if err != nil || after < 0 {
		after = 0
	}
	w.Header().Set("Content-Type", "text/event-stream")
	e := &eventStream{w: w, control: http.NewResponseController(w)}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		info, lines, changed := t.look(after)
		for _, l := range lines {
			after = l.N
			e.send("line", strconv.Itoa(l.N), l)
		}
		if info.State != Running {
			e.send("end", "", info)
			e.flush()
			return
		}
		e.send("task", "", info)
		e.flush()
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		case <-changed:
			pause(r, eventPause)
		}
		if e.err != nil {
			return
		}
	}
}

// eventPause gathers changes that come close together.
const eventPause = 100 * time.Millisecond

func pause(r *http.Request, d time.Duration) {
	select {
	case <-r.Context().Done():
	case <-time.After(d):
	}
}

// An eventStream writes events until the first error.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

func (e *eventStream) send(name, id string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		e.err = err
	}
	if e.err == nil && id != "" {
		_, e.err = fmt.Fprintf(e.w, "id: %s\n", id)
	}
	if e.err == nil {
		_, e.err = fmt.Fprintf(e.w, "event: %s\ndata: %s\n\n", name, b)
	}
}

func (e *eventStream) flush() {
	if e.err == nil {
		e.err = e.control.Flush()
	}
}
