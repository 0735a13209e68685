package deploy

import (
	"context"
	"fmt"
	"strings"

	"github.com/flotobuild/flotobuild/site/docker"
)

// A Failure is a container that does not come up.
type Failure struct {
	Host      string `json:"host"`
	Container string `json:"container"` // name in the manifest
	Reason    string `json:"reason"`
	// Probe is what the last health test wrote, and Log are the last lines of the
	// container.
	Probe string   `json:"probe,omitempty"`
	Log   []string `json:"log,omitempty"`
}

// Error names the container and the reason.
func (f *Failure) Error() string {
	return fmt.Sprintf("container %q on host %q does not come up: %s", f.Container, f.Host, f.Reason)
}

// logLines is how many lines of a container's log are reported.
const logLines = 20

// failure describes a container that has failed, with the end of its log.
func (r *run) failure(ctx context.Context, t *task, name string, c *docker.Container, reason string) *Failure {
	f := &Failure{Host: t.host, Container: name, Reason: r.hide(reason)}
	if c.Error != "" {
		f.Reason = r.hide(reason + ": " + c.Error)
	}
	if c.Health != "" {
		f.Probe = r.hide(strings.TrimSpace(c.Probe))
	}
	log, err := t.engine.Logs(ctx, c, logLines)
	if err != nil {
		log = []string{err.Error()} // the log is no reason to lose the failure
	}
	for _, l := range log {
		f.Log = append(f.Log, r.hide(l))
	}
	return f
}
