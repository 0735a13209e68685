package engine

import (
	"context"
	"fmt"

	"github.com/moby/buildkit/client"
)

// A Usage sums up records of an engine's build cache.
type Usage struct {
	Records int
	Size    int64 // bytes
}

// Usage asks for the size of the build cache.
func (c *Conn) Usage(ctx context.Context) (Usage, error) {
	list, err := c.Client.DiskUsage(ctx)
	if err != nil {
		return Usage{}, fmt.Errorf("cannot read the size of the build cache: %w", err)
	}
	u := Usage{Records: len(list)}
	for _, r := range list {
		u.Size += r.Size
	}
	return u, nil
}

// Prune removes from the build cache what no build under way holds, and tells
// how much that was. Records that BuildKit keeps for itself, and those shared
// with other records, go only with all.
func (c *Conn) Prune(ctx context.Context, all bool) (Usage, error) {
	var u Usage
	ch := make(chan client.UsageInfo)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for r := range ch {
			u.Records++
			u.Size += r.Size
		}
	}()
	var opts []client.PruneOption
	if all {
		opts = append(opts, client.PruneAll)
	}
	err := c.Client.Prune(ctx, ch, opts...)
	close(ch)
	<-done
	if err != nil {
		return u, fmt.Errorf("cannot prune the build cache: %w", err)
	}
	return u, nil
}
