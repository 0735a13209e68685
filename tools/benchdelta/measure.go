package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A cost is what commands took: processor time of all their threads, user and
// system, and the most memory that one of them held.
type cost struct {
	CPU    time.Duration
	Memory int64 // bytes
}

func (c *cost) add(o cost) {
	c.CPU += o.CPU
	c.Memory = max(c.Memory, o.Memory)
}

// A step is one command; its output goes to a file when one is named.
type step struct {
	args   []string
	output string
}

// measure runs commands one after the other and returns what they took.
func measure(ctx context.Context, steps []step) (cost, error) {
	var total cost
	for _, s := range steps {
		one, err := s.run(ctx)
		if err != nil {
			return cost{}, err
		}
		total.add(one)
	}
	return total, nil
}

func (s step) run(ctx context.Context) (cost, error) {
	cmd := exec.CommandContext(ctx, s.args[0], s.args[1:]...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if s.output != "" {
		out, err := os.Create(s.output)
		if err != nil {
			return cost{}, err
		}
		defer out.Close()
		cmd.Stdout = out
	}
	if err := cmd.Run(); err != nil {
		return cost{}, fmt.Errorf("cannot run %q: %w: %s", cmd.Args, err, strings.TrimSpace(stderr.String()))
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return cost{}, errors.New("cannot measure memory: the system reports none")
	}
	return cost{CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), Memory: usage.Maxrss << 10}, nil
}
