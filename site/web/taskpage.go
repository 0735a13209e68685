package web

import (
	"fmt"
	"net/http"
	"time"
)

// A taskView is the data of the page of a task.
type taskView struct {
	Task   TaskInfo
	Lines  []Line
	Took   string // empty for less than a second
	Exists bool   // whether the site has the patch that the task was about
	// OfferRedeploy is for those who have just made another patch active.
	OfferRedeploy bool
}

func (s *Server) taskPage(w http.ResponseWriter, r *http.Request) {
	t := s.taskOf(w, r)
	if t == nil {
		return
	}
	info, lines, _ := t.look(0)
	v := &taskView{Task: info, Lines: lines}
	if took := info.Ended.Sub(info.Started); took >= time.Second {
		v.Took = took.Round(time.Second).String()
	}
	if info.Patch != "" {
		_, err := s.patch(info.Patch)
		v.Exists = err == nil
	}
	v.OfferRedeploy = info.State == Done && (info.Kind == kindActivate || info.Kind == kindRollback) &&
		s.opts.Deployer != nil && who(r).CanOperate()
	s.show(w, r, http.StatusOK, "task", upper(info.Kind), v)
}

// form begins a task for a form, and shows the task.
func (s *Server) form(start starter) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t, err := start(r)
		if err != nil {
			s.broken(w, r, err)
			return
		}
		http.Redirect(w, r, fmt.Sprintf("/tasks/%d", t.see().ID), http.StatusSeeOther)
	}
}

func (s *Server) cancelForm(w http.ResponseWriter, r *http.Request) {
	if t := s.taskOf(w, r); t != nil {
		t.cancel(fmt.Errorf("%w by %s", errCancelled, who(r).Name))
		http.Redirect(w, r, r.URL.Path[:len(r.URL.Path)-len("/cancel")], http.StatusSeeOther)
	}
}

func (s *Server) discardForm(w http.ResponseWriter, r *http.Request) {
	s.back(w, r, s.discard(r))
}

func (s *Server) discardUploadForm(w http.ResponseWriter, r *http.Request) {
	s.back(w, r, s.incoming.Remove(r.PathValue("upload")))
}

// back shows the overview again, or what went wrong.
func (s *Server) back(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		s.broken(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
