package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/flotobuild/flotobuild/site"
)

// keepPatches is how many of the newest patches a collection keeps, unless it is
// told.
const keepPatches = 3

// A spaceView is the data of the page where old patches are removed.
type spaceView struct {
	Status *site.Status
	Keep   int
	Shown  bool // whether it was asked what would go
	Gone   []site.Entry
	What   *site.Collected
}

// Nothing says that a collection would remove nothing.
func (v *spaceView) Nothing() bool { return len(v.Gone)+v.What.Blobs+v.What.Staging == 0 }

// A keepError says that a request does not say how many patches to keep.
type keepError struct{ text string }

func (e *keepError) Error() string { return fmt.Sprintf("keep=%q is no number of patches", e.text) }

func keepOf(r *http.Request) (int, error) {
	text := r.FormValue("keep")
	if text == "" {
		return keepPatches, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, &keepError{text}
	}
	return n, nil
}

// wouldCollect says what a collection would remove.
func (s *Server) wouldCollect(r *http.Request, keep int) (*site.Collected, error) {
	return s.site.GC(r.Context(), site.GCOptions{Keep: keep, InUse: s.opts.InUse, DryRun: true})
}

func (s *Server) spacePage(w http.ResponseWriter, r *http.Request) {
	v, err := s.space(r)
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "space", "Space", v)
}

func (s *Server) space(r *http.Request) (*spaceView, error) {
	keep, err := keepOf(r)
	if err != nil {
		return nil, err
	}
	v := &spaceView{Keep: keep, Shown: r.FormValue("keep") != ""}
	if v.Shown {
		if v.What, err = s.wouldCollect(r, keep); err != nil {
			return nil, err
		}
	}
	if v.Status, err = s.site.Status(r.Context()); err != nil || !v.Shown {
		return v, err
	}
	all, err := s.site.List(r.Context())
	for _, e := range slices.Backward(all) {
		if slices.Contains(v.What.Patches, e.ID) {
			v.Gone = append(v.Gone, e)
		}
	}
	return v, err
}

func (s *Server) apiWouldCollect(w http.ResponseWriter, r *http.Request) {
	keep, err := keepOf(r)
	if err != nil {
		s.broken(w, r, err)
		return
	}
	c, err := s.wouldCollect(r, keep)
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, map[string]any{"formatVersion": apiVersion, "collected": c})
}

// collect begins a collection. Where the request names patches, as the page does
// with those that it has shown, no others go.
func (s *Server) collect(r *http.Request) (*task, error) {
	keep, err := keepOf(r)
	if err != nil {
		return nil, err
	}
	shown, named := r.Form["patch"]
	by := who(r).Name
	return s.tasks.start(kindCollect, "", by, func(ctx context.Context, t *task) error {
		o := site.GCOptions{Keep: keep, By: by, InUse: s.opts.InUse}
		if named {
			o.InUse = func() ([]string, error) { return s.inUseBut(ctx, shown) }
		}
		c, err := s.site.GC(ctx, o)
		if c != nil {
			for _, id := range c.Patches {
				t.logf("removed %s", id)
			}
		}
		if err != nil {
			return err
		}
		t.logf("removed %s, %s and %s: %s", count(len(c.Patches), "patch"), count(c.Blobs, "blob"), count(c.Staging, "interrupted import"), byteSize(c.Bytes))
		return nil
	})
}

// inUseBut gives all patches but those that somebody has agreed to lose, and
// those in use.
func (s *Server) inUseBut(ctx context.Context, agreed []string) ([]string, error) {
	var out []string
	if s.opts.InUse != nil {
		var err error
		if out, err = s.opts.InUse(); err != nil {
			return nil, err
		}
		out = slices.Clone(out)
	}
	all, err := s.site.List(ctx)
	for _, e := range all {
		if !slices.Contains(agreed, e.ID) {
			out = append(out, e.ID)
		}
	}
	return out, err
}
