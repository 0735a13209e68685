package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes beyond 0 and 1.
const (
	exitChanges     = 2
	exitUnformatted = 3
	exitInterrupted = 130
)

// errInterrupted is the cause of the context's end after a signal.
var errInterrupted = errors.New("interrupted")

// An exitError ends the program with a code; all that there is to say has been
// printed.
type exitError int

// Error satisfies error.
func (e exitError) Error() string { return "exit" }

// interruptible gives a context that the first SIGINT or SIGTERM cancels. The
// second signal ends the program at once, as no handler is left.
func interruptible(u *ui) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			signal.Reset(os.Interrupt, syscall.SIGTERM)
			u.interruptedf("flotobuild: interrupted: waiting for an orderly end; a second signal ends it at once")
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// exitCode prints the error of a command and gives the program's exit code.
func (a *app) exitCode(ctx context.Context, err error) int {
	var code exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.Is(context.Cause(ctx), errInterrupted):
		a.ui.errorf("interrupted%s", a.interruptNote)
		return exitInterrupted
	}
	a.ui.fail(err)
	return 1
}
