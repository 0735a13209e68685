package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/moby/buildkit/client"
	"github.com/sirupsen/logrus"
	"google.golang.org/grpc/test/bufconn"
)

// connectInProcess serves BuildKit inside this process, over memory. A folder
// cannot be opened twice by one process.
func connectInProcess(ctx context.Context, opts Options) (*Conn, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("cannot run the build engine inside this process: it needs root; ordinary users get it as a process of its own")
	}
	lock, err := acquire(ctx, opts.StateDir)
	if err != nil {
		return nil, err
	}
	log, err := openLog(opts.StateDir)
	if err != nil {
		lock.Unlock()
		return nil, err
	}
	logrus.SetOutput(log)
	controller, err := open(opts.StateDir, opts.Runc)
	if err != nil {
		return nil, errors.Join(err, log.Close(), lock.Unlock())
	}
	server := newServer(controller)
	listener := bufconn.Listen(1 << 20)
	go server.Serve(listener) //nolint:errcheck // it ends with release, or the next call fails
	release := func() error {
		server.Stop()
		return errors.Join(controller.Close(), log.Close(), lock.Unlock())
	}
	c, err := client.New(ctx, "passthrough:///in-process", client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return wrap(opts.Wrap)(listener.DialContext(ctx))
	}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot connect to the build engine: %w", err), release())
	}
	return &Conn{Client: c, Embedded: true, Address: opts.StateDir, LogFile: LogFile(opts.StateDir), release: release}, nil
}
