package shell

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/u-root/u-root/pkg/core"
	"github.com/u-root/u-root/pkg/core/base64"
	"github.com/u-root/u-root/pkg/core/cat"
	"github.com/u-root/u-root/pkg/core/chmod"
	"github.com/u-root/u-root/pkg/core/cp"
	"github.com/u-root/u-root/pkg/core/find"
	"github.com/u-root/u-root/pkg/core/gzip"
	"github.com/u-root/u-root/pkg/core/ls"
	"github.com/u-root/u-root/pkg/core/mkdir"
	"github.com/u-root/u-root/pkg/core/mktemp"
	"github.com/u-root/u-root/pkg/core/mv"
	"github.com/u-root/u-root/pkg/core/rm"
	"github.com/u-root/u-root/pkg/core/shasum"
	"github.com/u-root/u-root/pkg/core/tar"
	"github.com/u-root/u-root/pkg/core/touch"
	"github.com/u-root/u-root/pkg/core/xargs"
	"mvdan.cc/sh/v3/interp"
)

// A command is one call of a built-in command. Its error becomes one line on
// standard error and exit code 1.
type command func(ctx context.Context, h interp.HandlerContext, args []string) error

// commands are the built-in commands by name, besides those of the shell
// language itself (echo, test, printf and so on).
var commands = map[string]command{
	"base64": uroot(base64.New),
	"cat":    uroot(cat.New),
	"chmod":  uroot(chmod.New),
	"cp":     uroot(cp.New),
	"date":   date,
	"env":    env,
	"find":   uroot(find.New),
	"gunzip": uroot(func() core.Command { return gzip.New("gunzip") }),
	"gzip":   uroot(func() core.Command { return gzip.New("gzip") }),
	"head":   head,
	"id":     id,
	"ln":     ln,
	"ls":     uroot(ls.New),
	"mkdir":  uroot(mkdir.New),
	"mktemp": uroot(mktemp.New),
	"mv":     uroot(mv.New),
	"rm":     uroot(rm.New),
	"seq":    seq,
	"shasum": uroot(shasum.New),
	"sleep":  sleep,
	"tar":    uroot(tar.New),
	"touch":  uroot(touch.New),
	"wc":     wc,
	"xargs":  uroot(xargs.New),
}

// languageCommands are commands of the shell language that also get a link in
// /bin, for exec forms such as CMD ["echo", "hello"].
var languageCommands = []string{"echo", "false", "printf", "pwd", "test", "true"}

// Names are the names, besides sh, that Main can be called by, sorted.
func Names() []string {
	names := append(slices.Collect(maps.Keys(commands)), languageCommands...)
	slices.Sort(names)
	return names
}

// uroot makes a command of one of u-root's.
func uroot[T core.Command](newCommand func() T) command {
	return func(ctx context.Context, h interp.HandlerContext, args []string) error {
		c := newCommand()
		c.SetIO(h.Stdin, h.Stdout, h.Stderr)
		c.SetWorkingDir(h.Dir)
		c.SetLookupEnv(func(key string) (string, bool) {
			v := h.Env.Get(key)
			return v.Str, v.Set
		})
		return c.RunContext(ctx, args...)
	}
}

// execCommand runs built-in commands in the shell's own process and leaves the
// others to the next handler. A path such as /bin/ls starts a process as ever.
func execCommand(next interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	return func(ctx context.Context, args []string) error {
		run, ok := commands[args[0]]
		if !ok {
			return next(ctx, args)
		}
		h := interp.HandlerCtx(ctx)
		if err := run(ctx, h, args[1:]); err != nil {
			fmt.Fprintf(h.Stderr, "%s: %v\n", args[0], err)
			return interp.ExitStatus(1)
		}
		return nil
	}
}
