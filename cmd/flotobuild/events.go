package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/lang"
)

// eventsFormat and eventsVersion stand in the first line of apply -json.
const (
	eventsFormat  = "flotobuild-events"
	eventsVersion = 1
)

// An eventWriter writes what happens, one JSON object a line. Its methods may be
// called concurrently, and by a nil *eventWriter do nothing.
type eventWriter struct {
	mu  sync.Mutex
	to  io.Writer
	now func() time.Time
}

// An event is one line. Fields that a type does not have are left out.
type event struct {
	Type string `json:"type"`
	Time string `json:"time"`

	Format        string `json:"format,omitempty"`
	FormatVersion int    `json:"formatVersion,omitempty"`
	ToolVersion   string `json:"toolVersion,omitempty"`

	Site     string        `json:"site,omitempty"`
	Image    string        `json:"image,omitempty"`
	Name     string        `json:"name,omitempty"`
	Envelope string        `json:"envelope,omitempty"`
	Device   string        `json:"device,omitempty"`
	Change   string        `json:"change,omitempty"`
	Parents  []string      `json:"parents,omitempty"`
	Reasons  []eventReason `json:"reasons,omitempty"`

	How         string   `json:"how,omitempty"`
	ID          string   `json:"id,omitempty"`
	Seconds     *float64 `json:"seconds,omitempty"`
	Steps       *int     `json:"steps,omitempty"`
	CachedSteps *int     `json:"cachedSteps,omitempty"`
	Layers      *int     `json:"layers,omitempty"`
	Digest      string   `json:"digest,omitempty"`
	Bytes       *int64   `json:"bytes,omitempty"`
	Delta       bool     `json:"delta,omitempty"`
	File        string   `json:"file,omitempty"`

	Message    string          `json:"message,omitempty"`
	Hint       string          `json:"hint,omitempty"`
	Failure    *eventFailure   `json:"failure,omitempty"`
	Diagnostic json.RawMessage `json:"diagnostic,omitempty"`

	Outcome   string `json:"outcome,omitempty"`
	Patches   *int   `json:"patches,omitempty"`
	Envelopes *int   `json:"envelopes,omitempty"` // only where there are some
	Images    *int   `json:"images,omitempty"`
}

// An eventReason is a changed input of an image.
type eventReason struct {
	Input string `json:"input"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
}

// An eventFailure says where a build failed.
type eventFailure struct {
	File string   `json:"file,omitempty"`
	Line int      `json:"line,omitempty"`
	Step string   `json:"step,omitempty"`
	Log  []string `json:"log,omitempty"`
}

// newEventWriter begins with the line that names the format.
func newEventWriter(w io.Writer) *eventWriter {
	e := &eventWriter{to: w, now: time.Now}
	e.write(event{Type: "version", Format: eventsFormat, FormatVersion: eventsVersion, ToolVersion: version})
	return e
}

// write writes a line. A reader that has gone away is no reason to stop.
func (w *eventWriter) write(e event) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	e.Time = w.now().UTC().Format("2006-01-02T15:04:05.000Z")
	b, err := json.Marshal(e)
	if err == nil {
		_, _ = w.to.Write(append(b, '\n'))
	}
}

// diagnostics writes a line for each problem of the configuration.
func (w *eventWriter) diagnostics(diags hcl.Diagnostics, files map[string]*hcl.File) error {
	if w == nil || len(diags) == 0 {
		return nil
	}
	b, err := lang.DiagnosticsJSON(diags, files)
	if err != nil {
		return err
	}
	var list struct {
		Diagnostics []json.RawMessage `json:"diagnostics"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	for _, d := range list.Diagnostics {
		w.write(event{Type: "diagnostic", Diagnostic: d})
	}
	return nil
}

// warning writes a warning that is about no place in the configuration.
func (w *eventWriter) warning(format string, args ...any) {
	if w != nil {
		w.write(event{Type: "warning", Message: fmt.Sprintf(format, args...)})
	}
}
