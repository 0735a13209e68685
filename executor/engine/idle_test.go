//go:build linux

package engine

import (
	"os"
	"testing"
	"time"

	"google.golang.org/grpc/stats"
)

func TestIdleTimer(t *testing.T) {
	idle := newIdleTimer(50 * time.Millisecond)
	idle.HandleConn(t.Context(), &stats.ConnBegin{})
	idle.HandleConn(t.Context(), &stats.ConnBegin{})
	idle.HandleConn(t.Context(), &stats.ConnEnd{})
	select {
	case <-idle.expired:
		t.Fatal("it expired while somebody was connected")
	case <-time.After(200 * time.Millisecond):
	}
	idle.HandleConn(t.Context(), &stats.ConnEnd{})
	select {
	case <-idle.expired:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not expire")
	}
}

func TestServeEndsWhenIdle(t *testing.T) {
	opts := testOptions(t)
	if err := os.MkdirAll(opts.StateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(testIdleFile(opts.StateDir), []byte("200ms"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Connect(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		_, running, err := Status(opts.StateDir)
		if !running && err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("an idle engine does not end: %v", err)
		}
	}
}
