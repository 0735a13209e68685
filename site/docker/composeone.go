package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
)

// composeOneAPI is the version of the engine's API that Compose 1 speaks.
const composeOneAPI = "1.38"

// maxInspected bounds what an engine says of an image, in bytes.
const maxInspected = 16 << 20

// An OldComposeError says that Compose 1 cannot replace containers on an engine:
// what it reads of images newer engines do not tell any more, and it finds that
// out when it has stopped the old container.
type OldComposeError struct {
	Compose string // its version
	Engine  string // endpoint
}

// Error names both.
func (e *OldComposeError) Error() string {
	return fmt.Sprintf("Compose %s cannot replace containers on the Docker engine %q, which is too new for it", e.Compose, e.Engine)
}

// Fits checks that Compose can replace containers of an image that the engine
// has. The error where it cannot is an *OldComposeError.
func (c *Compose) Fits(ctx context.Context, e *Engine, image digest.Digest) error {
	if !strings.HasPrefix(c.Version, "1.") {
		return nil
	}
	fits, err := e.tellsComposeOne(ctx, image)
	if err == nil && !fits {
		err = &OldComposeError{c.Version, e.Name}
	}
	return err
}

// tellsComposeOne asks as Compose 1 does.
func (e *Engine) tellsComposeOne(ctx context.Context, image digest.Digest) (bool, error) {
	dial := e.client.Dialer()
	t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}
	defer t.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/v"+composeOneAPI+"/images/"+image.String()+"/json", nil)
	if err != nil {
		return false, err
	}
	resp, err := (&http.Client{Transport: t}).Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusBadRequest:
		return false, nil // it speaks this version of the API no more
	default:
		return true, nil // which Compose will tell of
	}
	var got map[string]json.RawMessage
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxInspected)).Decode(&got); err != nil {
		return false, fmt.Errorf("cannot read what the engine %q tells of image %q: %w", e.Name, image, err)
	}
	_, tells := got["ContainerConfig"]
	return tells, nil
}
