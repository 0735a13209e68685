// Package dockertest runs Docker engines for tests: real ones, each with a
// socket and a folder of its own, that end with the tests.
package dockertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// Unavailable says why no engine can be run here; empty where one can.
func Unavailable() string {
	if runtime.GOOS != "linux" {
		return "Docker Engine runs on Linux only"
	}
	if os.Geteuid() != 0 {
		return "dockerd needs root"
	}
	for _, name := range []string{"dockerd", "docker", "docker-compose"} {
		if _, err := exec.LookPath(name); err != nil {
			return name + " is not installed"
		}
	}
	return ""
}

// Required says that tests must not be skipped for want of an engine: in
// continuous integration, which installs it, where it runs as root.
func Required() bool { return os.Getenv("CI") != "" && os.Geteuid() == 0 }

// Start runs an engine for a test and gives its address. The test is skipped
// where none can be run, or fails where that must not be.
func Start(t testing.TB) string {
	t.Helper()
	if why := Unavailable(); why != "" {
		if Required() {
			t.Fatalf("%s: .ci/run must see to it", why)
		}
		t.Skipf("no Docker engine can be run here: %s", why)
	}
	d, err := Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d.Address
}

// A Daemon is a running engine.
type Daemon struct {
	Address string // unix:///PATH

	dir  string
	cmd  *exec.Cmd
	done chan error // its end, closed then
}

// patience bounds the waits for the engine.
const patience = time.Minute

// Run runs an engine. It ends with Stop, or when this process does.
func Run() (*Daemon, error) {
	dir, err := os.MkdirTemp("", "dockerd") // sockets have short paths
	if err != nil {
		return nil, err
	}
	d := &Daemon{Address: "unix://" + filepath.Join(dir, "docker.sock"), dir: dir, done: make(chan error, 1)}
	if err := d.start(); err != nil {
		return nil, errors.Join(err, d.Stop())
	}
	return d, nil
}

func (d *Daemon) start() error {
	path := func(name string) string { return filepath.Join(d.dir, name) }
	log, err := os.Create(path("log"))
	if err != nil {
		return err
	}
	defer log.Close()
	d.cmd = exec.Command("dockerd", "--host", d.Address, "--data-root", path("data"), "--exec-root", path("exec"), "--pidfile", path("pid"),
		"--iptables=false", "--ip6tables=false", "--bridge=none", "--ip-forward=false", "--ip-masq=false", "--shutdown-timeout=5")
	d.cmd.Stdout, d.cmd.Stderr = log, log
	endWithThis(d.cmd)
	go func() {
		runtime.LockOSThread() // the engine ends with the thread that started it
		d.done <- d.cmd.Run()
		close(d.done)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := d.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case end := <-d.done:
			return fmt.Errorf("dockerd ended (%w):\n%s", end, d.log())
		case <-ctx.Done():
			return fmt.Errorf("dockerd does not answer (%w):\n%s", err, d.log())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (d *Daemon) log() []byte {
	b, err := os.ReadFile(filepath.Join(d.dir, "log"))
	if err != nil {
		return []byte(err.Error())
	}
	return b[max(0, len(b)-4<<10):]
}

// Stop removes all containers, ends the engine, and removes everything it had.
func (d *Daemon) Stop() error {
	err := d.end()
	unmount(d.dir)
	return errors.Join(err, os.RemoveAll(d.dir))
}

func (d *Daemon) end() error {
	if d.cmd == nil || d.cmd.Process == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	d.removeAll(ctx) // an engine that does not answer is ended all the same
	terminate(d.cmd)
	select {
	case err := <-d.done:
		return ending(err)
	case <-ctx.Done():
		err := errors.Join(d.cmd.Process.Kill(), ending(<-d.done))
		return fmt.Errorf("dockerd had to be killed (%w):\n%s", err, d.log())
	}
}

// ending gives the errors that are more than the end of the engine by a signal.
func ending(err error) error {
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		return nil
	}
	return err
}
