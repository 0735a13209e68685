package docker

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// A Socket makes an engine stand at a socket of this machine, so that Compose
// reaches it whatever the way to it is, and needs none of the keys.
type Socket struct {
	// Address is unix:///PATH.
	Address string

	dir    string
	listen net.Listener
	cancel context.CancelFunc
	conns  sync.WaitGroup
}

// Socket opens one in a private folder below dir; an engine that is local
// already is given as it is. The caller closes it.
func (e *Engine) Socket(ctx context.Context, dir string) (*Socket, error) {
	if e.Local() {
		return &Socket{Address: e.Address, cancel: func() {}}, nil
	}
	s, err := e.socket(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open a socket for the engine %q: %w", e.Name, err)
	}
	return s, nil
}

func (e *Engine) socket(ctx context.Context, dir string) (*Socket, error) {
	private, err := os.MkdirTemp(dir, "flotobuild-engine-") // of mode 0700
	if err != nil {
		return nil, err
	}
	path := filepath.Join(private, "docker.sock")
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		os.RemoveAll(private)
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &Socket{Address: "unix://" + path, dir: private, listen: l, cancel: cancel}
	s.conns.Go(func() { s.serve(ctx, e.client.Dialer()) })
	return s, nil
}

// Close ends all connections, and removes the socket.
func (s *Socket) Close() {
	s.cancel()
	if s.listen == nil {
		return
	}
	_ = s.listen.Close()
	s.conns.Wait()
	os.RemoveAll(s.dir)
}

func (s *Socket) serve(ctx context.Context, dial func(context.Context) (net.Conn, error)) {
	for {
		c, err := s.listen.Accept()
		if err != nil {
			return
		}
		s.conns.Go(func() {
			defer c.Close()
			far, err := dial(ctx)
			if err != nil {
				return // Compose sees that the connection ends, and says so
			}
			defer far.Close()
			stop := context.AfterFunc(ctx, func() { c.Close(); far.Close() })
			defer stop()
			join(c, far)
		})
	}
}

// join copies both ways until both have ended. One way may end before the other.
func join(a, b net.Conn) {
	var ways sync.WaitGroup
	copyTo := func(to, from net.Conn) {
		_, err := io.Copy(to, from)
		if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil && half.CloseWrite() == nil {
			return
		}
		to.Close()
	}
	ways.Go(func() { copyTo(a, b) })
	ways.Go(func() { copyTo(b, a) })
	ways.Wait()
}
