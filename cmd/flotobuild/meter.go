package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/flotobuild/flotobuild/site"
)

// How often a meter writes: on a terminal, and in lines.
const (
	meterTick = 100 * time.Millisecond
	meterLine = 10 * time.Second
)

// A meter shows how far a transfer is: on a terminal as a line that is written
// over, elsewhere as a line now and then.
type meter struct {
	ui    *ui
	quiet bool
	over  bool // lines are written over

	mu    sync.Mutex
	begun time.Time
	last  time.Time
	on    bool // a line stands there to be written over
}

func newMeter(u *ui, quiet bool) *meter {
	now := time.Now()
	return &meter{ui: u, quiet: quiet, over: isTerminal(u.err), begun: now, last: now}
}

// importing shows the progress of an import.
func (m *meter) importing(p site.Progress) {
	switch p.Phase {
	case site.PhaseCopy:
		m.bytes("copied", p.Done, p.Total)
	case site.PhaseWait:
		m.end()
	}
}

// bytes shows a number of bytes, if it is time to.
func (m *meter) bytes(what string, done, total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, every := time.Now(), meterLine
	if m.over {
		every = meterTick
	}
	if m.quiet || now.Sub(m.last) < every {
		return
	}
	m.last = now
	text := meterText(what, done, total, float64(done)/now.Sub(m.begun).Seconds())
	if !m.over {
		m.ui.notef("%s", text)
		return
	}
	m.on = true
	m.ui.promptf("\r\x1b[K%s", clipCells(text, terminalWidth(m.ui.err)-1))
}

// meterText is one line: bytes, bar, rate, and the time that is left.
func meterText(what string, done, total int64, rate float64) string {
	const cells = 20
	if total <= 0 {
		return fmt.Sprintf("%s %s, %s/s", what, byteSize(done), byteSize(int64(rate)))
	}
	full := min(int(done*cells/total), cells)
	left := ""
	if rate > 0 {
		left = fmt.Sprintf(", %s left", time.Duration(float64(max(total-done, 0))/rate*float64(time.Second)).Round(time.Second))
	}
	return fmt.Sprintf("%s %s of %s [%s%s] %s/s%s", what, byteSize(done), byteSize(total),
		strings.Repeat("#", full), strings.Repeat("-", cells-full), byteSize(int64(rate)), left)
}

// clipCells cuts text of ASCII to a terminal's line.
func clipCells(text string, cells int) string {
	if cells > 0 && len(text) > cells {
		return text[:cells]
	}
	return text
}

// end removes the line that stands there.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.on {
		m.ui.promptf("\r\x1b[K")
		m.on = false
	}
}
