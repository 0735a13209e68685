package docker

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/moby/moby/client"
)

// An Obstacle is what keeps an engine from being reached, as far as can be seen
// from here.
type Obstacle string

// The obstacles.
const (
	NoSocket     Obstacle = "there is no such socket"
	NotListening Obstacle = "nothing listens on this socket"
	NotAllowed   Obstacle = "this user may not open the socket"
	NoAnswer     Obstacle = "it does not answer" // on another machine
)

// An AbsentError says that no engine can be reached at an endpoint.
type AbsentError struct {
	Endpoint *Endpoint
	Obstacle Obstacle
	Err      error // of the attempt
}

// Error names what is missing; of other machines what the attempt says.
func (e *AbsentError) Error() string {
	why := string(e.Obstacle)
	if e.Obstacle == NoAnswer {
		why = e.Err.Error()
	}
	return fmt.Sprintf("cannot use the Docker engine %q: %s", e.Endpoint.Name, why)
}

// Unwrap gives the error of the attempt.
func (e *AbsentError) Unwrap() error { return e.Err }

// absent makes an AbsentError of one that says that there is no connection, and
// leaves others.
func absent(p *Endpoint, err error) error {
	if !client.IsErrConnectionFailed(err) {
		return fmt.Errorf("cannot use the Docker engine %q: %w", p.Name, err)
	}
	o := NoAnswer
	if path, ok := strings.CutPrefix(p.Address, "unix://"); ok {
		o = socketObstacle(path)
	}
	return &AbsentError{p, o, err}
}

// socketObstacle asks the kernel again, whose answer the client has put into words.
func socketObstacle(path string) Obstacle {
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		_ = c.Close()
		return NoAnswer // then
	case errors.Is(err, fs.ErrNotExist):
		return NoSocket
	case errors.Is(err, fs.ErrPermission):
		return NotAllowed
	case errors.Is(err, syscall.ECONNREFUSED):
		return NotListening
	}
	return NoAnswer
}
