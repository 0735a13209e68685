package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/moby/buildkit/client"
	"golang.org/x/sys/unix"
)

// startWait is how long a started engine may take to answer.
const startWait = 60 * time.Second

func connectEmbedded(ctx context.Context, opts Options) (*Conn, error) {
	if opts.StateDir == "" {
		dir, err := DefaultStateDir()
		if err != nil {
			return nil, err
		}
		opts.StateDir = dir
	}
	if opts.InProcess {
		return connectInProcess(ctx, opts)
	}
	if err := os.MkdirAll(opts.StateDir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot create the engine's state folder: %w", err)
	}
	if c, err := dialEngine(ctx, opts); err == nil {
		return c, nil
	}
	// One starter at a time; the others find the engine running.
	start := flock.New(startFile(opts.StateDir))
	if _, err := start.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return nil, fmt.Errorf("cannot start the build engine: %w", err)
	}
	defer start.Unlock()
	if c, err := dialEngine(ctx, opts); err == nil {
		return c, nil
	}
	return startEngine(ctx, opts)
}

// errOtherVersion means that the engine which serves the folder belongs to
// another build of this program.
var errOtherVersion = errors.New("the running engine is another version's")

// dialEngine connects to the engine that serves the folder. An engine of
// another build of this program is asked to end, and refused.
func dialEngine(ctx context.Context, opts Options) (*Conn, error) {
	c, err := dialOwn(ctx, opts)
	if errors.Is(err, errOtherVersion) {
		if _, serr := Stop(ctx, opts.StateDir); serr != nil {
			return nil, serr
		}
	}
	return c, err
}

// dialOwn connects to an engine of this very program only: one that is ending
// may still accept connections.
func dialOwn(ctx context.Context, opts Options) (*Conn, error) {
	r, err := ReadRecord(opts.StateDir)
	if err != nil {
		return nil, err
	}
	if r.Version != opts.Version || r.Program != programID() {
		return nil, errOtherVersion
	}
	return dialFolder(ctx, opts, 10*time.Second)
}

func dialFolder(ctx context.Context, opts Options, timeout time.Duration) (*Conn, error) {
	probe, err := dialSocket(ctx, opts.StateDir)
	if err != nil {
		return nil, err // at once, where gRPC would retry
	}
	probe.Close()
	c, err := client.New(ctx, "passthrough:///flotobuild-engine", client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return wrap(opts.Wrap)(dialSocket(ctx, opts.StateDir))
	}))
	if err != nil {
		return nil, err
	}
	if err := ping(ctx, c, timeout); err != nil {
		c.Close()
		return nil, err
	}
	return &Conn{Client: c, Embedded: true, Address: opts.StateDir, LogFile: LogFile(opts.StateDir)}, nil
}

func wrap(w ConnWrapper) func(net.Conn, error) (net.Conn, error) {
	return func(c net.Conn, err error) (net.Conn, error) {
		if err != nil || w == nil {
			return c, err
		}
		return w(c), nil
	}
}

func startEngine(ctx context.Context, opts Options) (*Conn, error) {
	log, err := openLog(opts.StateDir)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	from, _ := log.Seek(0, io.SeekEnd)
	exited, err := spawn(opts, log)
	if err != nil {
		return nil, fmt.Errorf("cannot start the build engine: %w", err)
	}
	deadline := time.After(startWait)
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		c, err := dialOwn(ctx, opts)
		if err == nil {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case err := <-exited:
			return nil, fmt.Errorf("cannot start the build engine: it ended (%w)%s", err, lastLines(opts.StateDir, from))
		case <-deadline:
			return nil, fmt.Errorf("cannot start the build engine: it does not answer after %s: %w; see its log %q", startWait, err, LogFile(opts.StateDir))
		case <-time.After(wait):
		}
	}
}

// openLog opens the log for appending. A log over 8 MiB is kept once as .old.
func openLog(dir string) (*os.File, error) {
	name := LogFile(dir)
	if st, err := os.Stat(name); err == nil && st.Size() > 8<<20 {
		if err := os.Rename(name, name+".old"); err != nil {
			return nil, fmt.Errorf("cannot set the engine's old log aside: %w", err)
		}
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the engine's log: %w", err)
	}
	return f, nil
}

// lastLines quotes what the engine wrote to its log since offset from.
func lastLines(dir string, from int64) string {
	b, err := os.ReadFile(LogFile(dir))
	if err != nil || int64(len(b)) <= from {
		return ""
	}
	b = bytes.TrimSpace(b[from:])
	if len(b) > 2000 {
		b = b[len(b)-2000:]
	}
	return ":\n" + string(b)
}

// Status tells whether an engine serves the state folder, and which.
func Status(dir string) (Record, bool, error) {
	lock := flock.New(lockFile(dir))
	if _, err := os.Stat(filepath.Dir(lockFile(dir))); err != nil {
		return Record{}, false, nil
	}
	free, err := lock.TryLock()
	if err != nil {
		return Record{}, false, fmt.Errorf("cannot examine the engine's lock: %w", err)
	}
	if free {
		lock.Unlock()
		return Record{}, false, nil
	}
	r, err := ReadRecord(dir)
	return r, true, err
}

// Stop asks the engine that serves the state folder to end once its clients
// have gone, and tells whether there was one. It does not wait.
func Stop(_ context.Context, dir string) (bool, error) {
	r, running, err := Status(dir)
	if running && errors.Is(err, fs.ErrNotExist) {
		return true, nil // just starting or just ending
	}
	if err != nil || !running {
		return false, err
	}
	if err := unix.Kill(r.PID, unix.SIGTERM); err != nil && !errors.Is(err, unix.ESRCH) {
		return true, fmt.Errorf("cannot stop the engine with pid %d: %w", r.PID, err)
	}
	return true, nil
}
