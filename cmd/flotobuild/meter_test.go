package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestMeterText(t *testing.T) {
	for want, got := range map[string]string{
		"copied 0 B of 100 B [--------------------] 0 B/s":                      meterText("copied", 0, 100, 0),
		"copied 50.0 MB of 100.0 MB [##########----------] 10.0 MB/s, 5s left":  meterText("copied", 50e6, 100e6, 10e6),
		"copied 100.0 MB of 100.0 MB [####################] 10.0 MB/s, 0s left": meterText("copied", 100e6, 100e6, 10e6),
		"copied 110.0 MB of 100.0 MB [####################] 10.0 MB/s, 0s left": meterText("copied", 110e6, 100e6, 10e6),
		"checked 5.0 MB, 1.0 MB/s":                                              meterText("checked", 5e6, 0, 1e6),
	} {
		if got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

// Where stderr is no terminal, a line comes now and then, and none at once.
func TestMeterLines(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	m := newMeter(&ui{err: w}, false)
	m.bytes("copied", 1, 2)
	m.last = time.Now().Add(-time.Hour)
	m.begun = m.last
	m.bytes("copied", 1, 2)
	m.bytes("copied", 2, 2)
	m.end()
	w.Close()
	b, err := io.ReadAll(r)
	if err != nil || strings.Count(string(b), "\n") != 1 || strings.ContainsRune(string(b), '\r') {
		t.Errorf("got %q, %v", b, err)
	}
}

// A read that waits for ever ends with the context, and errors come through.
func TestCancellable(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	r, w := io.Pipe()
	defer w.Close()
	time.AfterFunc(10*time.Millisecond, func() { cancel(errInterrupted) })
	if _, err := io.ReadAll(cancellable(ctx, r)); !errors.Is(err, errInterrupted) {
		t.Errorf("got %v", err)
	}
	text := strings.Repeat("0123456789", 100_000)
	if b, err := io.ReadAll(cancellable(t.Context(), strings.NewReader(text))); err != nil || string(b) != text {
		t.Errorf("got %d bytes, %v", len(b), err)
	}
	b, err := io.ReadAll(cancellable(t.Context(), iotest.DataErrReader(io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(io.ErrClosedPipe)))))
	if string(b) != "ab" || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %q, %v", b, err)
	}
}
