package main

import (
	"bufio"
	"context"
	"errors"
	"strings"
)

// approve asks whether to go on. Only "yes" does.
func (a *app) approve(ctx context.Context, given bool) error {
	if given {
		return nil
	}
	if !isTerminal(a.ui.in) {
		return &hintError{
			errors.New("cannot ask for approval: there is no terminal to answer from; nothing was built"),
			"look at the plan, then run: flotobuild apply -auto-approve",
		}
	}
	a.ui.notef("\nBuild and write these patches?\n  Only \"yes\" will be accepted.\n")
	a.ui.promptf("  Enter a value: ")
	answer := make(chan string, 1)
	go func() {
		// Left behind at an interrupt: the program ends then.
		line, _ := bufio.NewReader(a.ui.in).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		a.ui.notef("")
		return context.Cause(ctx)
	case text := <-answer:
		if text != "yes" {
			return errors.New("apply was not approved; nothing was built")
		}
	}
	a.ui.notef("")
	return nil
}
