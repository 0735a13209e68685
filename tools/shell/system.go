package shell

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

// env prints the exported variables; running a command by it is not offered.
func env(_ context.Context, h interp.HandlerContext, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("takes no arguments; write NAME=VALUE before the command")
	}
	for name, v := range h.Env.Each {
		if v.Exported && v.Kind == expand.String {
			fmt.Fprintf(h.Stdout, "%s=%s\n", name, v.Str)
		}
	}
	return nil
}

// id prints the user's or the group's number: id [-u | -g].
func id(_ context.Context, h interp.HandlerContext, args []string) error {
	text := fmt.Sprintf("uid=%d gid=%d", os.Getuid(), os.Getgid())
	switch {
	case len(args) == 1 && args[0] == "-u":
		text = strconv.Itoa(os.Getuid())
	case len(args) == 1 && args[0] == "-g":
		text = strconv.Itoa(os.Getgid())
	case len(args) > 0:
		return fmt.Errorf("usage: id [-u | -g]")
	}
	_, err := fmt.Fprintln(h.Stdout, text)
	return err
}

// ln makes a link: ln [-s] [-f] TARGET NAME. Where NAME is a folder, the link
// is made in it.
func ln(_ context.Context, h interp.HandlerContext, args []string) error {
	symbolic, force := false, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		for _, c := range args[0][1:] {
			switch c {
			case 's':
				symbolic = true
			case 'f':
				force = true
			default:
				return fmt.Errorf("unknown option %q", "-"+string(c))
			}
		}
		args = args[1:]
	}
	if len(args) != 2 {
		return fmt.Errorf("usage: ln [-s] [-f] TARGET NAME")
	}
	target, name := args[0], resolve(h, args[1])
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = filepath.Join(name, filepath.Base(target))
	}
	if force {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if symbolic {
		return os.Symlink(target, name)
	}
	return os.Link(resolve(h, target), name)
}

// sleep waits: sleep SECONDS.
func sleep(ctx context.Context, _ interp.HandlerContext, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: sleep SECONDS")
	}
	seconds, err := strconv.ParseFloat(args[0], 64)
	if err != nil || seconds < 0 {
		return fmt.Errorf("%q is no number of seconds", args[0])
	}
	select {
	case <-time.After(time.Duration(seconds * float64(time.Second))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
