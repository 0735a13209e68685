package engine

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/moby/buildkit/client"
	// The ways to reach a remote BuildKit that its own client knows.
	_ "github.com/moby/buildkit/client/connhelper/dockercontainer"
	_ "github.com/moby/buildkit/client/connhelper/kubepod"
	_ "github.com/moby/buildkit/client/connhelper/podmancontainer"
	_ "github.com/moby/buildkit/client/connhelper/ssh"
	"github.com/sirupsen/logrus"
)

// A ConnWrapper may replace a connection to the engine by one that observes it.
type ConnWrapper func(net.Conn) net.Conn

// A Conn is a connection to one engine.
type Conn struct {
	Client *client.Client
	// Embedded tells that the engine is this program's own, which knows the
	// cache importer ImporterType.
	Embedded bool
	// Address is the remote engine's, or the state folder.
	Address string
	// LogFile is the embedded engine's log; empty for remote engines.
	LogFile string

	release func() error
}

// Close ends the connection. An embedded engine stays for the next command.
func (c *Conn) Close() error {
	err := c.Client.Close()
	if c.release != nil {
		if rerr := c.release(); err == nil {
			err = rerr
		}
	}
	return err
}

// Connect reaches the engine that opts name, and starts the embedded one where
// none is named. The engine has answered when Connect returns.
func Connect(ctx context.Context, opts Options) (*Conn, error) {
	logrus.SetOutput(io.Discard) // BuildKit's client logs to the global logger
	if len(opts.Hosts) > 0 {
		return connectRemote(ctx, opts.Hosts[0])
	}
	return connectEmbedded(ctx, opts)
}

func connectRemote(ctx context.Context, host string) (*Conn, error) {
	c, err := client.New(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to the build engine %q: %w", host, err)
	}
	if err := ping(ctx, c, 20*time.Second); err != nil {
		c.Close()
		return nil, fmt.Errorf("cannot reach the build engine %q: %w; is BuildKit running there, and is the address right (BUILDKIT_HOST, engine.hosts)?", host, err)
	}
	return &Conn{Client: c, Address: host}, nil
}

// ping asks for the workers: the cheapest call that needs a working engine.
func ping(ctx context.Context, c *client.Client, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := c.ListWorkers(ctx)
	return err
}

// ImporterType is the cache import type that the embedded engine adds to
// BuildKit's own: attributes "store" and "digest".
const ImporterType = "flotobuild-parent"
