package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/incoming"
)

// apiVersion is the version of the API's answers.
const apiVersion = 1

// A SiteInfo is the answer of GET /api/v1/site.
type SiteInfo struct {
	FormatVersion int    `json:"formatVersion"` // apiVersion
	Name          string `json:"name"`
	Active        string `json:"active,omitempty"`   // id
	Rollback      string `json:"rollback,omitempty"` // id of the patch before
	// Task is what is being done by this server, Busy what changes the site
	// elsewhere too.
	Task *TaskInfo    `json:"task,omitempty"`
	Busy *site.Holder `json:"busy,omitempty"`
	You  string       `json:"you,omitempty"` // name of the token's owner
	Role string       `json:"role"`
	// Redeploys says whether the server can bring containers up.
	Redeploys bool `json:"redeploys"`
}

func (s *Server) apiSite(w http.ResponseWriter, r *http.Request) {
	i := SiteInfo{
		FormatVersion: apiVersion, Name: s.site.Name(), Task: s.tasks.current(),
		You: who(r).Name, Role: string(who(r).Role), Redeploys: s.opts.Deployer != nil,
	}
	var err error
	if i.Active, _, err = s.site.Active(); err == nil {
		i.Rollback, _, err = s.site.Previous()
	}
	if err == nil {
		var h site.Holder
		var busy bool
		if h, busy, err = s.site.Busy(); busy {
			i.Busy = &h
		}
	}
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, i)
}

// patch opens a patch. What cannot be an id is none.
func (s *Server) patch(id string) (*site.Patch, error) {
	if _, err := patch.FileName(id); err != nil {
		return nil, &site.MissingPatchError{ID: id}
	}
	return s.site.Patch(id)
}

func (s *Server) apiPatches(w http.ResponseWriter, r *http.Request) {
	entries, err := s.site.List(r.Context())
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, map[string]any{"formatVersion": apiVersion, "patches": entries})
}

func (s *Server) apiPatch(w http.ResponseWriter, r *http.Request) {
	p, err := s.patch(r.PathValue("id"))
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, map[string]any{
		"formatVersion": apiVersion, "patch": p.Entry, "description": p.Header.Description, "manifest": p.Manifest,
	})
}

// apiChanges compares a patch with the active one, or with the one that the
// parameter against names.
func (s *Server) apiChanges(w http.ResponseWriter, r *http.Request) {
	p, err := s.patch(r.PathValue("id"))
	if err != nil {
		s.broken(w, r, err)
		return
	}
	id := r.URL.Query().Get("against")
	if id == "" {
		if id, _, err = s.site.Active(); err != nil {
			s.broken(w, r, err)
			return
		}
	}
	if id == "" {
		s.broken(w, r, site.ErrNoActive)
		return
	}
	from, err := s.patch(id)
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, patch.Diff(from.Header, p.Header))
}

// apiHistory gives the latest events first; the parameter n says how many.
func (s *Server) apiHistory(w http.ResponseWriter, r *http.Request) {
	n := 1000
	if text := r.URL.Query().Get("n"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			s.refuse(w, r, http.StatusBadRequest, fmt.Sprintf("n=%q is no number of events", text))
			return
		}
	}
	events, err := s.site.History()
	if err != nil {
		s.broken(w, r, err)
		return
	}
	slices.Reverse(events)
	s.answer(w, r, http.StatusOK, map[string]any{"formatVersion": apiVersion, "events": s.hidden(events[:min(n, len(events))])})
}

// receipt sends a receipt as a file to carry away.
func (s *Server) receipt(w http.ResponseWriter, r *http.Request) {
	receipt, err := s.site.Receipt(time.Now())
	if err != nil {
		s.broken(w, r, err)
		return
	}
	b, err := patch.EncodeReceipt(receipt)
	if err != nil {
		s.broken(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="receipt.json"`)
	_, _ = w.Write(b) // who has gone away needs no answer
}

// A starter begins a task for a request.
type starter func(r *http.Request) (*task, error)

// begin answers with the task, which goes on after the answer.
func (s *Server) begin(start starter) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t, err := start(r)
		if err != nil {
			s.broken(w, r, err)
			return
		}
		info := t.see()
		w.Header().Set("Location", fmt.Sprintf("/api/v1/tasks/%d", info.ID))
		s.answer(w, r, http.StatusAccepted, info)
	}
}

func (s *Server) apiTasks(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, http.StatusOK, map[string]any{"formatVersion": apiVersion, "tasks": s.tasks.list()})
}

// taskOf finds the task that a path names. It answers itself where there is
// none.
func (s *Server) taskOf(w http.ResponseWriter, r *http.Request) *task {
	if id, err := strconv.Atoi(r.PathValue("task")); err == nil {
		if t := s.tasks.find(id); t != nil {
			return t
		}
	}
	s.refuse(w, r, http.StatusNotFound, "the server has no such task; it remembers the latest ones since it was started")
	return nil
}

func (s *Server) apiTask(w http.ResponseWriter, r *http.Request) {
	if t := s.taskOf(w, r); t != nil {
		info, lines, _ := t.look(0)
		s.answer(w, r, http.StatusOK, map[string]any{"formatVersion": apiVersion, "task": info, "log": lines})
	}
}

func (s *Server) apiCancel(w http.ResponseWriter, r *http.Request) {
	if t := s.taskOf(w, r); t != nil {
		t.cancel(fmt.Errorf("%w by %s", errCancelled, who(r).Name))
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *Server) apiIncoming(w http.ResponseWriter, r *http.Request) {
	files, err := s.incoming.Files()
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, map[string]any{"formatVersion": apiVersion, "files": append([]incoming.File{}, files...)})
}

// discard removes a file that has arrived, unless it is being imported.
func (s *Server) discard(r *http.Request) error {
	file, err := s.incoming.File(r.PathValue("name"))
	if err != nil {
		return err
	}
	if t := s.tasks.current(); t != nil && t.Kind == kindImport && t.Subject == file.Name {
		return &BusyError{*t}
	}
	return s.incoming.Discard(file)
}

func (s *Server) apiDiscard(w http.ResponseWriter, r *http.Request) {
	s.noContent(w, r, s.discard(r))
}
