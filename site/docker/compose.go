package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Compose is the program that makes containers of Compose files.
type Compose struct {
	Version string // such as 1.29.2

	command []string
	environ []string
}

// A NoComposeError means that the machine has no Compose that can be used.
type NoComposeError struct {
	// Installed says that one is there, which does not run or is too old.
	Installed bool
	// Tried says of each program what came of it.
	Tried []string
}

// Error says what came of the attempts.
func (e *NoComposeError) Error() string {
	return `neither "docker compose" nor "docker-compose" can be used here: ` + strings.Join(e.Tried, "; ")
}

// oldest is the least version of Compose that is known to do.
var oldest = [2]int{1, 29}

// FindCompose looks for "docker compose", then for "docker-compose". environ is
// the environment that it runs with; what would turn it to another engine, file
// or project is taken out. The error where there is none is a *NoComposeError.
func FindCompose(ctx context.Context, environ []string) (*Compose, error) {
	missing := new(NoComposeError)
	for _, command := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		c := &Compose{command: command, environ: composeEnviron(environ)}
		out, err := c.output(ctx, c.environ, "version", "--short")
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err == nil {
			c.Version = strings.TrimPrefix(strings.TrimSpace(string(out)), "v")
			err = c.recent()
		}
		if err == nil {
			return c, nil
		}
		missing.add(c.command, err)
	}
	return nil, missing
}

// recent refuses versions that are too old. One that is no number is taken: who
// builds Compose is to know.
func (c *Compose) recent() error {
	var v [2]int
	if n, _ := fmt.Sscanf(c.Version, "%d.%d", &v[0], &v[1]); n == 2 && slices.Compare(v[:], oldest[:]) < 0 {
		return fmt.Errorf("it is version %s, and %d.%d is needed", c.Version, oldest[0], oldest[1])
	}
	return nil
}

// add notes what came of a program.
func (e *NoComposeError) add(command []string, err error) {
	name := strings.Join(command, " ")
	if errors.Is(err, exec.ErrNotFound) {
		e.Tried = append(e.Tried, fmt.Sprintf("%s is not installed", command[0]))
		return
	}
	// A docker command without its plugin fails, too.
	e.Installed = e.Installed || len(command) == 1
	e.Tried = append(e.Tried, fmt.Sprintf("%s: %v", name, err))
}

// composeEnviron keeps programs and folders apart from settings.
func composeEnviron(environ []string) []string {
	out := []string{"COMPOSE_INTERACTIVE_NO_CLI=1", "COMPOSE_HTTP_TIMEOUT=3600", "COMPOSE_IGNORE_ORPHANS=1"}
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if name == "DOCKER_CONFIG" || !strings.HasPrefix(name, "DOCKER_") && !strings.HasPrefix(name, "COMPOSE_") {
			out = append(out, e)
		}
	}
	return out
}

// A Project is a Compose file with what it is run for.
type Project struct {
	Name   string
	File   string
	Dir    string // relative paths of the file hold there
	Engine string // unix:///PATH
}

// Run runs a command of Compose. What Compose writes is part of the error where
// it fails.
func (c *Compose) Run(ctx context.Context, p Project, args ...string) error {
	all := append([]string{"--project-name", p.Name, "--file", p.File, "--project-directory", p.Dir, "--ansi", "never"}, args...)
	_, err := c.output(ctx, append([]string{"DOCKER_HOST=" + p.Engine}, c.environ...), all...)
	if err != nil {
		return fmt.Errorf("cannot run %s %s: %w", strings.Join(c.command, " "), args[0], err)
	}
	return nil
}

// orderly is how long Compose has to end after it was asked to.
const orderly = 10 * time.Second

// output runs Compose, which ends when this process does, however it does.
func (c *Compose) output(ctx context.Context, environ []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.command[0], append(c.command[1:len(c.command):len(c.command)], args...)...)
	cmd.Env = environ
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	end(cmd)
	cmd.WaitDelay = orderly
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the child ends with the thread that started it
		defer runtime.UnlockOSThread()
		done <- cmd.Run()
	}()
	err := <-done
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if text := complaint(errs.Bytes()); err != nil && text != "" {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	return out.Bytes(), err
}

// complaint gives the last lines that Compose wrote, without those that only
// say how far it is.
func complaint(errs []byte) string {
	var out []string
	for _, l := range lastLines(errs, 10) {
		l = strings.TrimSpace(l)
		if l != "" && !strings.HasSuffix(l, "...") && !strings.HasSuffix(l, "done") {
			out = append(out, l)
		}
	}
	return strings.Join(out, "; ")
}
