package engine

import (
	"context"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// socketAddress names the socket through an open descriptor of its folder: the
// kernel limits socket addresses to 107 bytes, and state folders are longer.
func socketAddress(dir *os.File) string {
	return fmt.Sprintf("/proc/self/fd/%d/engine.sock", dir.Fd())
}

func dialSocket(ctx context.Context, dir string) (net.Conn, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", socketAddress(d))
}

func umask(mask int) int { return unix.Umask(mask) }
