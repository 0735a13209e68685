package facts

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// errNoGit means that there is no git binary, no repository, or no commit.
var errNoGit = errors.New("not under git")

// git runs a git command in the project folder and returns what it prints.
func (w *Workspace) git(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = w.dir
	// English messages, and no waiting for another git's lock.
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case err == nil:
		return out, nil
	case errors.Is(err, exec.ErrNotFound):
		return nil, errNoGit
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	message := strings.TrimSpace(stderr.String())
	for _, absent := range []string{"not a git repository", "does not have any commits yet", "must be run in a work tree", "Not a valid object name HEAD"} {
		if strings.Contains(message, absent) {
			return nil, errNoGit
		}
	}
	return nil, fmt.Errorf("cannot run git %s: %w: %s", args[0], err, message)
}

// listing is git's view of the project folder.
type listing struct {
	git   bool
	names []string // tracked and untracked files, not sorted; without ignored ones
}

// list asks git for the files. A folder in which git sees no file at all, such
// as an ignored folder of some other repository, is not under git.
func (w *Workspace) list() (listing, error) {
	out, err := w.git(context.Background(), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if errors.Is(err, errNoGit) || err == nil && len(out) == 0 {
		return listing{}, nil
	}
	if err != nil {
		return listing{}, err
	}
	return listing{git: true, names: fileNames(out)}, nil
}

// fileNames takes NUL-terminated names apart. A name that ends in a slash is a
// repository inside of this one.
func fileNames(out []byte) []string {
	names := strings.Split(string(out), "\x00")
	return slices.DeleteFunc(names, func(n string) bool { return n == "" || strings.HasSuffix(n, "/") })
}

// Git is what git.* means in a configuration. Outputs that the configuration
// names are not known yet: of these only patch files do not count as changes.
func (w *Workspace) Git(ctx context.Context) (lang.Git, error) {
	h, err := w.head(ctx, []string{planner.DataDir})
	if errors.Is(err, errNoGit) {
		return lang.Git{}, errors.New("the project folder is not under git, or has no commit yet")
	}
	return h, err
}

// Project implements planner.Facts.
func (w *Workspace) Project(ctx context.Context, omit []string) (planner.Project, error) {
	var author []byte
	var g errgroup.Group
	g.Go(func() (err error) {
		author, err = w.git(ctx, "log", "-1", "--no-show-signature", "--format=%an <%ae>")
		return err
	})
	h, err := w.head(ctx, omit)
	if err = cmp.Or(err, g.Wait()); errors.Is(err, errNoGit) {
		return planner.Project{}, nil
	} else if err != nil {
		return planner.Project{}, err
	}
	return planner.Project{Revision: h.Describe, Timestamp: h.Timestamp, Dirty: h.Dirty, Author: strings.TrimSpace(string(author))}, nil
}

// head describes HEAD and whether the folder, less what is omitted, differs
// from it.
func (w *Workspace) head(ctx context.Context, omit []string) (lang.Git, error) {
	var describe, commit, status []byte
	var g errgroup.Group
	run := func(out *[]byte, args ...string) {
		g.Go(func() (err error) {
			*out, err = w.git(ctx, args...)
			return err
		})
	}
	run(&describe, "describe", "--tags", "--always")
	run(&commit, "log", "-1", "--no-show-signature", "--format=%H %cI")
	run(&status, append([]string{"status", "--porcelain", "-z", "--untracked-files=all", "--"}, pathspecs(w.followed(omit))...)...)
	l, listErr := w.listing()
	err := g.Wait()
	switch {
	case listErr != nil:
		return lang.Git{}, listErr
	case !l.git:
		return lang.Git{}, errNoGit
	case err != nil:
		return lang.Git{}, err
	}
	hash, date, _ := strings.Cut(strings.TrimSpace(string(commit)), " ")
	// Versions of git write UTC in two ways, Go in one.
	committed, err := time.Parse(time.RFC3339, date)
	if err != nil {
		return lang.Git{}, fmt.Errorf("cannot parse git's date: %w", err)
	}
	h := lang.Git{
		Describe:  strings.TrimSpace(string(describe)),
		Commit:    hash,
		Timestamp: committed.Format(time.RFC3339),
		Dirty:     len(status) > 0,
	}
	if h.Dirty {
		h.Describe += "-dirty"
	}
	return h, nil
}

// pathspecs selects the project folder less what is omitted.
func pathspecs(omit []string) []string {
	specs := []string{"."}
	for _, extension := range []string{patch.Extension, patch.EncryptedExtension, planner.PlanExtension, planner.PageExtension} {
		specs = append(specs, ":(exclude,glob)**/*"+extension)
	}
	for _, name := range omit {
		specs = append(specs, ":(exclude,literal)"+name)
	}
	return specs
}
