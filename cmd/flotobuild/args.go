package main

import (
	"fmt"
	"strings"

	"github.com/google/shlex"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// argumentsVariable names the variable with further arguments: for all
// commands, and with _COMMAND behind it for one.
const argumentsVariable = "FLOTOBUILD_CLI_ARGS"

// commandLine prepares the arguments for cobra: those of FLOTOBUILD_CLI_ARGS
// come in behind the command's name, and long flags may have one dash.
func commandLine(root *cobra.Command, args []string, lookup func(string) (string, bool)) ([]string, error) {
	values := valueFlags(root)
	at, names := commandPosition(root, args, values)
	more, err := environmentArguments(names, lookup)
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		args = append(append(append([]string(nil), args[:at]...), more...), args[at:]...)
	}
	return twoDashes(args, values), nil
}

// valueFlags tells of each long flag of the program whether it takes a value.
func valueFlags(cmd *cobra.Command) map[string]bool {
	out := make(map[string]bool)
	add := func(f *pflag.Flag) { out[f.Name] = f.NoOptDefVal == "" }
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(add)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(cmd)
	return out
}

// commandPosition finds the end of the command's name, such as "engine stop",
// among the arguments, and the words of the name.
func commandPosition(root *cobra.Command, args []string, values map[string]bool) (int, []string) {
	at, cmd := 0, root
	var names []string
	for n := 0; n < len(args); n++ {
		if takesNext(args[n], values) {
			n++
			continue
		}
		if strings.HasPrefix(args[n], "-") {
			continue
		}
		sub := subcommand(cmd, args[n])
		if sub == nil {
			break
		}
		cmd, at, names = sub, n+1, append(names, sub.Name())
	}
	return at, names
}

func subcommand(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// takesNext tells whether the argument is a flag whose value is the next one.
func takesNext(arg string, values map[string]bool) bool {
	name := strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	return name != arg && values[name]
}

func environmentArguments(names []string, lookup func(string) (string, bool)) ([]string, error) {
	variables := []string{argumentsVariable}
	if len(names) > 0 {
		variables = append(variables, argumentsVariable+"_"+strings.Join(names, "_"))
	}
	var out []string
	for _, v := range variables {
		text, _ := lookup(v)
		words, err := shlex.Split(text)
		if err != nil {
			return nil, fmt.Errorf("cannot read the arguments in %s: %w; quote them as for a shell", v, err)
		}
		out = append(out, words...)
	}
	return out, nil
}

// twoDashes writes long flags with two dashes, as cobra wants them.
func twoDashes(args []string, values map[string]bool) []string {
	out := make([]string, 0, len(args))
	for n := 0; n < len(args); n++ {
		a := args[n]
		if a == "--" {
			return append(out, args[n:]...)
		}
		if len(a) > 2 && a[0] == '-' && a[1] != '-' {
			a = "-" + a
		}
		out = append(out, a)
		if takesNext(a, values) && n+1 < len(args) {
			n++
			out = append(out, args[n])
		}
	}
	return out
}
