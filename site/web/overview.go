package web

import (
	"net/http"
	"slices"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/incoming"
)

// An overviewView is the data of the first page.
type overviewView struct {
	Entries    []site.Entry
	Active     *site.Entry
	Since      *site.Event // that made it active, as far as the history goes back
	Back       *site.Entry // what a rollback goes to
	Busy       *site.Holder
	Uploads    []incoming.Upload
	Files      []incoming.File
	Redeploys  bool
	Extensions string
}

func (s *Server) overviewPage(w http.ResponseWriter, r *http.Request) {
	v, err := s.overview(r)
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "overview", "Overview", v)
}

func (s *Server) overview(r *http.Request) (*overviewView, error) {
	v := &overviewView{Redeploys: s.opts.Deployer != nil, Extensions: patch.Extension + ", " + patch.EncryptedExtension}
	var err error
	if v.Entries, err = s.site.List(r.Context()); err != nil {
		return nil, err
	}
	for n := range v.Entries {
		if v.Entries[n].Active {
			v.Active = &v.Entries[n]
		}
		if v.Entries[n].Rollback {
			v.Back = &v.Entries[n]
		}
	}
	if v.Active != nil {
		if v.Since, err = s.activation(v.Active.ID); err != nil {
			return nil, err
		}
	}
	if s.tasks.current() == nil {
		h, busy, err := s.site.Busy()
		if err != nil {
			return nil, err
		}
		if busy {
			v.Busy = &h
		}
	}
	if v.Uploads, err = s.incoming.Uploads(); err != nil {
		return nil, err
	}
	v.Files, err = s.incoming.Files()
	return v, err
}

// activation finds in the history when a patch became active.
func (s *Server) activation(id string) (*site.Event, error) {
	events, err := s.site.History()
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Backward(events) {
		if (e.Action == site.ActionActivate || e.Action == site.ActionRollback) && e.Patch == id && e.Error == "" {
			return &e, nil
		}
	}
	return nil, nil
}

// A historyView is the data of the page of events.
type historyView struct {
	Events []site.Event // the latest first
	More   int
}

// mostEvents is how many events the page shows.
const mostEvents = 500

func (s *Server) historyPage(w http.ResponseWriter, r *http.Request) {
	events, err := s.site.History()
	if err != nil {
		s.broken(w, r, err)
		return
	}
	slices.Reverse(events)
	v := historyView{Events: s.hidden(events[:min(len(events), mostEvents)])}
	v.More = len(events) - len(v.Events)
	s.show(w, r, http.StatusOK, "history", "History", v)
}
