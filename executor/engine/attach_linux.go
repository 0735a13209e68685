package engine

import (
	"context"
	"fmt"
	"time"
)

// Attach connects to the embedded engine that serves opts.StateDir, whatever
// its version, and never starts or ends one.
func Attach(ctx context.Context, opts Options) (*Conn, error) {
	c, err := dialFolder(ctx, opts, 10*time.Second)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the build engine of %q: %w", opts.StateDir, err)
	}
	return c, nil
}
