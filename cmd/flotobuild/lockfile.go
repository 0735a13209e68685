package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

// readonly is the only mode that -lockfile takes.
const readonly = "readonly"

// lockFlags say what plan and apply do with the lock file.
type lockFlags struct {
	upgrade bool
	mode    string

	held bool // the command has the project's lock already
}

func (f *lockFlags) define(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.upgrade, "upgrade", false, "resolve image versions and references anew, and update the lock file")
	cmd.Flags().StringVar(&f.mode, "lockfile", "", "with the `MODE` readonly, fail where the lock file would change")
	// The only error is a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("lockfile", cobra.FixedCompletions([]string{readonly}, cobra.ShellCompDirectiveNoFileComp))
}

func (f *lockFlags) check() error {
	switch {
	case f.mode != "" && f.mode != readonly:
		return &hintError{fmt.Errorf("there is no lock file mode %q", f.mode), "-lockfile takes readonly only"}
	case f.mode == readonly && f.upgrade:
		return &hintError{
			errors.New("cannot upgrade with -lockfile=readonly: the lock file would change"),
			"give one of -upgrade and -lockfile=readonly",
		}
	}
	return nil
}

// readLock reads the lock file; what is wrong with it is kept for resolve, as
// not every command needs it.
func (p *project) readLock() {
	var src []byte
	p.lock, src, p.lockProblems = lang.LoadLock(p.root.FS())
	if src != nil {
		p.config.Files[lang.LockFile] = &hcl.File{Bytes: src}
	}
}

// resolve pins the inputs with what the lock file says, and changes nothing.
func (p *project) resolve(ctx context.Context, opts planner.Options) (*planner.Desired, error) {
	if p.lockProblems.HasErrors() {
		return nil, p.lockProblems
	}
	opts.Lock, opts.Partial = p.lock, !p.selection.Empty()
	var err error
	if opts.DigestKey, err = p.readDigestKey(); err != nil {
		return nil, err
	}
	return planner.Resolve(ctx, p.config, p.facts(), opts)
}

// resolveAndLock pins the inputs, and writes the lock file where it changes.
func (a *app) resolveAndLock(ctx context.Context, p *project, f *lockFlags) (*planner.Desired, error) {
	return p.resolve(ctx, planner.Options{
		Upgrade:  f.upgrade,
		Readonly: f.mode == readonly,
		Keep: func(lock *lang.Lock, changes []planner.LockChange) error {
			if len(changes) == 0 {
				return nil
			}
			if f.mode == readonly {
				return &hintError{
					fmt.Errorf("cannot plan with -lockfile=readonly: in %s %s would change, first that of %q", lang.LockFile, count(len(changes), "entry"), changes[0].Source),
					"plan without -lockfile=readonly, and commit the file",
				}
			}
			return a.keepLock(ctx, p, lock, f.held)
		},
	})
}

// lockPatience is how long plan waits for another one that writes the lock file.
const lockPatience = 2 * time.Second

// keepLock writes the lock file. It does so under the project's lock: an apply
// at work would find its inputs changed.
func (a *app) keepLock(ctx context.Context, p *project, lock *lang.Lock, held bool) error {
	if !held {
		unlock, err := lockProject(ctx, p.dataDir, "flotobuild plan", lockPatience)
		if err != nil {
			return err
		}
		defer unlock()
	}
	now, _, diags := lang.LoadLock(p.root.FS())
	switch {
	case !diags.HasErrors() && now.Equal(lock): // another plan was faster
		p.readLock()
		return nil
	case diags.HasErrors() || !now.Equal(p.lock):
		return &hintError{
			fmt.Errorf("cannot write %s: it was changed by somebody else meanwhile", lang.LockFile),
			"run the command again",
		}
	}
	if err := p.writeLock(lock); err != nil {
		return &hintError{
			fmt.Errorf("cannot keep what image references were resolved to: %w", err),
			"make the project folder writable, or write and commit the lock file elsewhere",
		}
	}
	if a.interruptNote != "" {
		a.interruptNote = ": no patch was written"
	}
	p.readLock()
	return nil
}

// writeLock writes the file as a whole. Without entries there is none.
func (p *project) writeLock(lock *lang.Lock) error {
	name := filepath.Join(p.dir, lang.LockFile)
	if len(lock.Entries) == 0 {
		if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	// What a killed one left must not lie in the project for ever.
	if _, err := atomicfile.Sweep(p.dir); err != nil {
		return err
	}
	return atomicfile.WriteFile(name, lock.Encode(), 0o666)
}
