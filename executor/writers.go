package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
)

// errOtherSite is the cause of the end of writers after the failure of another.
var errOtherSite = errors.New("the patch of another site could not be written")

// writeDrafts writes the files of all drafts, several at once. The first failure
// ends them all: nothing will be published.
func (r *run) writeDrafts(ctx context.Context, drafts []*draft) error {
	for _, d := range drafts {
		if err := os.MkdirAll(r.path(d.site.Patch.Output), 0o777); err != nil {
			return fmt.Errorf("cannot create the output folder of site %q: %w", d.site.Name, err)
		}
	}
	if err := r.checkSpace(drafts); err != nil {
		return err
	}
	writing, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, r.opts.parallelism())
	errs := make([]error, len(drafts))
	s := newShelf()
	var wg sync.WaitGroup
	for i, d := range drafts {
		slots <- struct{}{}
		if writing.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if errs[i] = r.write(writing, d, s); errs[i] != nil {
				cancel(errOtherSite)
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.writeErrors(drafts, errs)
}

// An entryError is about the content of an entry, and so about each site whose
// patch has the entry.
type entryError struct {
	content patch.Content
	err     error
}

// Error satisfies error.
func (e *entryError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *entryError) Unwrap() error { return e.err }

// writeErrors joins the failures; each names the sites that it touches.
func (r *run) writeErrors(drafts []*draft, errs []error) error {
	var out []error
	told := make(map[string]bool)
	for i, err := range errs {
		if err == nil || errors.Is(err, errOtherSite) {
			continue
		}
		sites := []string{drafts[i].site.Name}
		if e := (*entryError)(nil); errors.As(err, &e) {
			if told[e.content.Path+e.content.SHA256] {
				continue
			}
			told[e.content.Path+e.content.SHA256] = true
			sites = sitesWith(drafts, e.content)
		}
		what := "patch"
		if len(sites) > 1 {
			what = "patches"
		}
		if atomicfile.NoSpace(err) {
			err = fmt.Errorf("%w; %s", err, r.spaceNote(drafts[i]))
		}
		out = append(out, fmt.Errorf("cannot write the %s of %s: %w", what, siteNames(sites), err))
	}
	return errors.Join(out...)
}

// sitesWith lists the sites whose patch has an entry.
func sitesWith(drafts []*draft, c patch.Content) []string {
	var out []string
	for _, d := range drafts {
		if slices.Contains(d.desc.Flotobuild.Contents, c) {
			out = append(out, d.site.Name)
		}
	}
	return out
}

// source remembers the error that reading ended with.
type source struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// damaged says that content was not what the plan has seen.
func damaged(err error) bool {
	return errors.Is(err, verify.ErrShort) || errors.Is(err, verify.ErrLong) || errors.Is(err, verify.ErrContent)
}
