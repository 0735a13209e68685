package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// Bounds of what is read of a container's log.
const (
	maxLog  = 1 << 20 // bytes
	maxLine = 500     // bytes
)

// Logs gives the last lines that a container wrote, stdout and stderr together.
// Lines that are too long are cut.
func (e *Engine) Logs(ctx context.Context, c *Container, lines int) ([]string, error) {
	text, err := e.logs(ctx, c, lines)
	if err != nil {
		return nil, fmt.Errorf("cannot read the log of container %q of the engine %q: %w", c.Name, e.Name, err)
	}
	return lastLines(text, lines), nil
}

func (e *Engine) logs(ctx context.Context, c *Container, lines int) ([]byte, error) {
	r, err := e.client.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
	if err != nil {
		return nil, err
	}
	log, err := e.client.ContainerLogs(ctx, c.ID, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines)})
	if err != nil {
		return nil, err
	}
	defer log.Close()
	limited := io.LimitReader(log, maxLog)
	var b bytes.Buffer
	if r.Container.Config != nil && r.Container.Config.Tty {
		_, err = b.ReadFrom(limited)
		return b.Bytes(), err
	}
	_, err = stdcopy.StdCopy(&b, &b, limited)
	if b.Len() > 0 {
		err = nil // what there is of a log that ends within a line
	}
	return b.Bytes(), err
}

func lastLines(text []byte, n int) []string {
	var out []string
	for _, l := range slices.Backward(strings.Split(strings.TrimRight(string(text), "\r\n"), "\n")) {
		if len(out) == n {
			break
		}
		l = strings.TrimRight(l, "\r")
		if len(l) > maxLine {
			l = strings.ToValidUTF8(l[:maxLine], "") + " …"
		}
		out = append(out, l)
	}
	slices.Reverse(out)
	if len(out) == 1 && out[0] == "" {
		return nil
	}
	return out
}
