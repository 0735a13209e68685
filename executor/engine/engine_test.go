//go:build linux

package engine

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/tonistiigi/fsutil"
)

// TestMain lets the test binary be the engine too, as the tool is.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "engine" && os.Args[2] == "serve" {
		fs := flag.NewFlagSet("serve", flag.ExitOnError)
		state := fs.String("state", "", "")
		runc := fs.String("runc", "", "")
		fs.Parse(os.Args[3:])
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		var idle time.Duration
		if b, err := os.ReadFile(testIdleFile(*state)); err == nil {
			idle, _ = time.ParseDuration(string(b))
		}
		if err := Serve(ctx, ServeOptions{StateDir: *state, Version: "test", Runc: *runc, Idle: idle}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// testIdleFile tells a test's engine how soon it is idle.
func testIdleFile(dir string) string { return filepath.Join(dir, "test-idle") }

func testOptions(t *testing.T) Options {
	// Longer than a socket address may be.
	dir := filepath.Join(t.TempDir(), strings.Repeat("state-", 20))
	t.Cleanup(func() { stopAndWait(t, dir) })
	return Options{StateDir: dir, Version: "test"}
}

func stopAndWait(t *testing.T, dir string) {
	t.Helper()
	for range 500 {
		running, err := Stop(context.Background(), dir)
		if err == nil && !running {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the engine does not end")
}

// build solves a Dockerfile without RUN, which needs no runtime.
func build(ctx context.Context, c *Conn, dockerfile string) error {
	dir, err := os.MkdirTemp("", "context")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		return err
	}
	fs, err := fsutil.NewFS(dir)
	if err != nil {
		return err
	}
	_, err = c.Client.Solve(ctx, nil, client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: map[string]string{"cmdline": "embedded"},
		LocalMounts:   map[string]fsutil.FS{"context": fs, "dockerfile": fs},
		Exports:       []client.ExportEntry{{Type: "image", Attrs: map[string]string{"push": "false"}}},
	}, nil)
	return err
}

func TestConnectStartsSharesAndRestarts(t *testing.T) {
	opts := testOptions(t)
	ctx := t.Context()
	var wg sync.WaitGroup
	for range 4 { // several commands at once share one engine
		wg.Go(func() {
			c, err := Connect(ctx, opts)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if err := build(ctx, c, "FROM scratch\nCOPY Dockerfile /\n"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	first, running, err := Status(opts.StateDir)
	if err != nil || !running {
		t.Fatalf("Status = %v, %v, %v; want a running engine", first, running, err)
	}
	if st, err := os.Stat(socketFile(opts.StateDir)); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v, %v; want mode 0600", st, err)
	}

	// A killed engine is replaced.
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c, err := Connect(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := build(ctx, c, "FROM scratch\nCOPY Dockerfile /\n"); err != nil {
		t.Error(err)
	}
	c.Close()

	// An engine of another version is, too.
	second, _, err := Status(opts.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	record, err := os.ReadFile(recordFile(opts.StateDir))
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(record), `"version": "test"`, `"version": "older"`, 1)
	if err := os.WriteFile(recordFile(opts.StateDir), []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err = Connect(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	third, _, err := Status(opts.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	if third.PID == second.PID || second.PID == first.PID {
		t.Errorf("pids %d, %d, %d: want three engines", first.PID, second.PID, third.PID)
	}
}

func TestStartFailureQuotesTheLog(t *testing.T) {
	opts := testOptions(t)
	if err := os.MkdirAll(opts.StateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(opts.StateDir, "buildkit"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Connect(t.Context(), opts)
	if err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Fatalf("Connect: %v; want the engine's last words", err)
	}
}

func TestInProcess(t *testing.T) {
	if os.Geteuid() != 0 {
		_, err := Connect(t.Context(), Options{StateDir: t.TempDir(), InProcess: true})
		if err == nil || !strings.Contains(err.Error(), "needs root") {
			t.Fatalf("Connect: %v; want an error that names root", err)
		}
		return
	}
	conns := 0
	c, err := Connect(t.Context(), Options{StateDir: t.TempDir(), Version: "test", InProcess: true, Wrap: func(c net.Conn) net.Conn {
		conns++
		return c
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := build(t.Context(), c, "FROM scratch\nCOPY Dockerfile /\n"); err != nil {
		t.Error(err)
	}
	if conns == 0 {
		t.Error("Wrap has seen no connection")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestRemoteUnreachable(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := Connect(ctx, Options{Hosts: []string{"unix://" + filepath.Join(t.TempDir(), "none.sock")}})
	if err == nil || !strings.Contains(err.Error(), "BUILDKIT_HOST") {
		t.Fatalf("Connect: %v; want an error with the remedy", err)
	}
}

func TestEnvironmentLeaksNothing(t *testing.T) {
	got := environment([]string{"PATH=/bin", "OTEL_TRACES_EXPORTER=otlp", "SECRET=x", "https_proxy=http://127.0.0.1:1"}, "/state")
	want := "PATH=/bin https_proxy=http://127.0.0.1:1 TMPDIR=/state/tmp XDG_RUNTIME_DIR=/state/run"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("environment = %s; want %s", s, want)
	}
}

func TestReadRange(t *testing.T) {
	file := filepath.Join(t.TempDir(), "subuid")
	os.WriteFile(file, []byte("ann:100000:10\nbob:200000:65536\n1001:300000:65537\nann:bad:65536\n"), 0o644)
	for _, c := range []struct {
		name, id string
		first    int
	}{{"bob", "1000", 200000}, {"eve", "1001", 300000}, {"ann", "1002", 0}} {
		r, err := readRange(file, c.name, c.id)
		if c.first == 0 && (err == nil || !strings.Contains(err.Error(), "usermod")) {
			t.Errorf("%s: %v, %v; want an error with the remedy", c.name, r, err)
		} else if c.first != 0 && (err != nil || r.first != c.first) {
			t.Errorf("%s: %v, %v; want first id %d", c.name, r, err, c.first)
		}
	}
}

func TestStoppedEngineServesItsClientsToTheEnd(t *testing.T) {
	opts := testOptions(t)
	c, err := Connect(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if running, err := Stop(t.Context(), opts.StateDir); !running || err != nil {
		t.Fatalf("Stop: %v, %v", running, err)
	}
	time.Sleep(300 * time.Millisecond)
	for range 3 {
		if err := build(t.Context(), c, "FROM scratch\nCOPY Dockerfile /\n"); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	next, err := Connect(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	next.Close()
}
