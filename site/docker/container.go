package docker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/opencontainers/go-digest"
)

// Labels that Compose gives its containers.
const (
	LabelProject = "com.docker.compose.project"
	LabelService = "com.docker.compose.service"

	labelNumber = "com.docker.compose.container-number"
	labelOneOff = "com.docker.compose.oneoff"
)

// States of containers, as engines name them.
const (
	Created    = "created"
	Running    = "running"
	Restarting = "restarting"
	Exited     = "exited"
)

// Results of health tests; a container without a test has an empty one.
const (
	Starting  = "starting"
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
)

// A Container is one of an engine's containers, as it was when it was looked at.
type Container struct {
	ID     string
	Name   string
	Image  digest.Digest // the engine's id of it
	Labels map[string]string
	Number int // of several of one service

	State     string
	ExitCode  int
	Error     string // why it could not be started
	Started   string // changes with each start
	Restarts  int    // that the engine has made by itself
	Restarted bool   // the engine starts it again when it ends well
	Health    string
	// Patience is how long the health test may take to come to a result; 0
	// without a test.
	Patience time.Duration
	// Probe is what the last health test wrote.
	Probe string
}

// Service is the Compose service that the container belongs to.
func (c *Container) Service() string { return c.Labels[LabelService] }

// OneOff says that somebody has made the container with Compose's command run:
// it is none of those that the service should have.
func (c *Container) OneOff() bool { return strings.EqualFold(c.Labels[labelOneOff], "true") }

// Done says that the container has done what it had to do, and stays ended.
func (c *Container) Done() bool {
	return c.State == Exited && c.ExitCode == 0 && c.Error == "" && !c.Restarted
}

// Containers gives the containers with all these labels, those that do not run
// included, sorted by name.
func (e *Engine) Containers(ctx context.Context, labels map[string]string) ([]Container, error) {
	out, err := e.containers(ctx, labels)
	if err != nil {
		return nil, fmt.Errorf("cannot list the containers of the engine %q: %w", e.Name, err)
	}
	return out, nil
}

func (e *Engine) containers(ctx context.Context, labels map[string]string) ([]Container, error) {
	filters := make(client.Filters)
	for k, v := range labels {
		filters.Add("label", k+"="+v)
	}
	all, err := e.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, err
	}
	var out []Container
	for _, s := range all.Items {
		c, err := e.inspect(ctx, s.ID)
		if errdefs.IsNotFound(err) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Container) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (e *Engine) inspect(ctx context.Context, id string) (*Container, error) {
	r, err := e.client.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, err
	}
	from := r.Container
	c := &Container{ID: from.ID, Name: strings.TrimPrefix(from.Name, "/"), Image: digest.Digest(from.Image), Restarts: from.RestartCount}
	if from.Config != nil {
		c.Labels = from.Config.Labels
		c.Number, _ = strconv.Atoi(c.Labels[labelNumber])
	}
	if from.HostConfig != nil {
		c.Restarted = from.HostConfig.RestartPolicy.IsAlways() || from.HostConfig.RestartPolicy.IsUnlessStopped()
	}
	s := from.State
	if s == nil {
		return c, nil
	}
	c.State, c.ExitCode, c.Error, c.Started = string(s.Status), s.ExitCode, s.Error, s.StartedAt
	if s.Health != nil && s.Health.Status != "none" {
		c.Health = string(s.Health.Status)
		if n := len(s.Health.Log); n > 0 {
			c.Probe = s.Health.Log[n-1].Output
		}
		if h := from.Config.Healthcheck; h != nil {
			c.Patience = patience(h.StartPeriod, h.Interval, h.Timeout, h.Retries)
		}
	}
	return c, nil
}

// patience is the longest that an engine takes to call a container healthy or
// not: values that are 0 are the engine's own.
func patience(start, interval, timeout time.Duration, retries int) time.Duration {
	const own = 30 * time.Second
	if interval == 0 {
		interval = own
	}
	if timeout == 0 {
		timeout = own
	}
	if retries == 0 {
		retries = 3
	}
	return start + time.Duration(retries+1)*(interval+timeout)
}

// Remove ends a container in its own time, and removes it. Its volumes stay.
func (e *Engine) Remove(ctx context.Context, c *Container) error {
	if c.State != Created && c.State != Exited {
		_, err := e.client.ContainerStop(ctx, c.ID, client.ContainerStopOptions{})
		if err != nil && !errdefs.IsNotFound(err) {
			return fmt.Errorf("cannot stop container %q of the engine %q: %w", c.Name, e.Name, err)
		}
	}
	_, err := e.client.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true})
	if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
		return fmt.Errorf("cannot remove container %q of the engine %q: %w", c.Name, e.Name, err)
	}
	return nil
}

// Rename gives a container another name.
func (e *Engine) Rename(ctx context.Context, c *Container, name string) error {
	if _, err := e.client.ContainerRename(ctx, c.ID, client.ContainerRenameOptions{NewName: name}); err != nil {
		return fmt.Errorf("cannot rename container %q of the engine %q: %w", c.Name, e.Name, err)
	}
	return nil
}
