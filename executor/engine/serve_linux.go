package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/containerd/containerd/v2/defaults"
	"github.com/gofrs/flock"
	"github.com/moby/buildkit/control"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/sirupsen/logrus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// lockWait is how long a new engine waits for the one before it to end.
const lockWait = 30 * time.Second

// ServeOptions are the embedded engine's settings.
type ServeOptions struct {
	StateDir string
	Version  string
	Runc     string
	Idle     time.Duration // IdleTimeout when zero
}

// Serve runs the embedded engine on the state folder until ctx ends or it has
// been idle for a while. Its log goes to standard error.
func Serve(ctx context.Context, opts ServeOptions) error {
	if done, err := awaitNamespace(); done || err != nil {
		return err
	}
	logrus.SetFormatter(&logrus.TextFormatter{DisableColors: true, FullTimestamp: true})
	// The folders that a RUN step finds made, such as /dev, get into its layer:
	// their modes must not depend on who started the engine.
	umask(0o022)
	lock, err := acquire(ctx, opts.StateDir)
	if err != nil {
		return err
	}
	defer lock.Unlock()

	controller, err := open(opts.StateDir, opts.Runc)
	if err != nil {
		return err
	}
	defer func() {
		if err := controller.Close(); err != nil {
			logrus.Warnf("cannot close BuildKit's state: %v", err)
		}
	}()

	listener, err := listen(opts.StateDir)
	if err != nil {
		return err
	}
	if err := writeRecord(opts.StateDir, opts.Version); err != nil {
		return err
	}
	defer os.Remove(recordFile(opts.StateDir))

	idle := newIdleTimer(opts.Idle)
	server := newServer(controller, grpc.StatsHandler(idle))
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	logrus.Infof("serving on %s, version %s, pid %d", opts.StateDir, opts.Version, os.Getpid())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		logrus.Info("asked to end")
	case <-idle.expired:
		logrus.Info("idle: ending")
	}
	// New clients must start another engine; those that are connected keep this
	// one until they have gone. GracefulStop would not do: it makes clients
	// connect anew for their next call, and there is nothing to connect to.
	os.Remove(recordFile(opts.StateDir))
	os.Remove(socketFile(opts.StateDir))
	if err := listener.Close(); err != nil {
		logrus.Warnf("cannot close the socket: %v", err)
	}
	for idle.connected() {
		time.Sleep(20 * time.Millisecond)
	}
	server.Stop()
	return nil
}

// open prepares the folder, sweeps what a killed engine left, and opens
// BuildKit. The caller holds the lock.
func open(dir, runcName string) (*control.Controller, error) {
	root, err := prepareRoot(dir)
	if err != nil {
		return nil, err
	}
	sweep(root, runcName)
	if err := unmountBelow(root); err != nil {
		return nil, err
	}
	c, err := newController(root, runcName)
	if err != nil {
		return nil, fmt.Errorf("cannot open the build engine's state in %q: %w; if it is damaged, delete the folder: it holds only cache", root, err)
	}
	return c, nil
}

func newServer(c *control.Controller, opts ...grpc.ServerOption) *grpc.Server {
	opts = append(opts,
		grpc.ChainUnaryInterceptor(grpcerrors.UnaryServerInterceptor),
		grpc.StreamInterceptor(grpcerrors.StreamServerInterceptor),
		grpc.MaxRecvMsgSize(defaults.DefaultMaxRecvMsgSize),
		grpc.MaxSendMsgSize(defaults.DefaultMaxSendMsgSize),
	)
	s := grpc.NewServer(opts...)
	healthv1.RegisterHealthServer(s, health.NewServer())
	c.Register(s)
	return s
}

// acquire takes the state folder's lock, waiting for an engine that is ending.
func acquire(ctx context.Context, dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot create the engine's state folder: %w", err)
	}
	lock := flock.New(lockFile(dir))
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	ok, err := lock.TryLockContext(ctx, 20*time.Millisecond)
	if ok {
		// A record that a killed engine left would name a stranger's pid.
		os.Remove(recordFile(dir))
		return lock, nil
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("cannot lock the engine's state folder %q: %w", dir, err)
	}
	who := "another engine, which ends when its last client has gone,"
	if r, err := ReadRecord(dir); err == nil {
		who = fmt.Sprintf("the engine with pid %d, version %s, started %s,", r.PID, r.Version, r.Started.Format(time.RFC3339))
	}
	return nil, fmt.Errorf("cannot lock the engine's state folder %q: %s holds it and does not end", dir, who)
}

// listen opens the socket, mode 0600 from its first moment. The path goes
// through the folder's descriptor, as socket addresses hold 107 bytes only.
func listen(dir string) (net.Listener, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if err := os.RemoveAll(socketFile(dir)); err != nil {
		return nil, err
	}
	old := umask(0o177)
	l, err := net.Listen("unix", socketAddress(d))
	umask(old)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %q: %w", socketFile(dir), err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	return l, nil
}
