package web

import (
	"net/http"

	"github.com/flotobuild/flotobuild/site/access"
)

// routes are all that the server answers to.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	view := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, s.need(access.Viewer, h)) }
	operate := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, s.need(access.Operator, h)) }

	mux.Handle("GET /static/", staticFiles())
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { s.loginPage(w, r, http.StatusOK, "") })
	mux.HandleFunc("POST /login", s.signIn)
	view("POST /logout", s.signOut)
	view("GET /{$}", s.overviewPage)
	view("GET /patches/{id}", s.patchPage)
	view("GET /tasks/{task}", s.taskPage)
	view("GET /history", s.historyPage)
	view("GET /receipt", s.receipt)
	view("GET /vars", s.varsPage)
	operate("GET /space", s.spacePage)
	operate("POST /patches/{id}/activate", s.form(s.activate))
	operate("POST /patches/{id}/rollback", s.form(s.rollback))
	operate("POST /redeploy", s.form(s.redeploy))
	operate("POST /incoming/{name}/import", s.form(s.importFile))
	operate("POST /patches/{id}/verify", s.form(s.verify))
	operate("POST /vars/{name}", s.setVarForm)
	operate("POST /vars/{name}/unset", s.unsetVarForm)
	operate("POST /restore-vars", s.restoreVarsForm)
	operate("POST /gc", s.form(s.collect))
	operate("POST /incoming/{name}/discard", s.discardForm)
	operate("POST /uploads/{upload}/discard", s.discardUploadForm)
	operate("POST /tasks/{task}/cancel", s.cancelForm)

	view("GET /api/v1/site", s.apiSite)
	view("GET /api/v1/patches", s.apiPatches)
	view("GET /api/v1/patches/{id}", s.apiPatch)
	view("GET /api/v1/patches/{id}/changes", s.apiChanges)
	view("GET /api/v1/history", s.apiHistory)
	view("GET /api/v1/receipt", s.receipt)
	view("GET /api/v1/tasks", s.apiTasks)
	view("GET /api/v1/tasks/{task}", s.apiTask)
	view("GET /api/v1/tasks/{task}/events", s.events)
	operate("DELETE /api/v1/tasks/{task}", s.apiCancel)
	operate("POST /api/v1/patches/{id}/activate", s.begin(s.activate))
	operate("POST /api/v1/patches/{id}/rollback", s.begin(s.rollback))
	operate("POST /api/v1/patches/{id}/verify", s.begin(s.verify))
	operate("POST /api/v1/redeploy", s.begin(s.redeploy))
	view("GET /api/v1/vars", s.apiVars)
	operate("PUT /api/v1/vars/{name}", s.apiSetVar)
	operate("DELETE /api/v1/vars/{name}", s.apiUnsetVar)
	operate("POST /api/v1/vars/restore", s.apiRestoreVars)
	operate("GET /api/v1/gc", s.apiWouldCollect)
	operate("POST /api/v1/gc", s.begin(s.collect))

	view("GET /api/v1/incoming", s.apiIncoming)
	operate("POST /api/v1/incoming/{name}/import", s.begin(s.importFile))
	operate("DELETE /api/v1/incoming/{name}", s.apiDiscard)
	mux.HandleFunc("OPTIONS /api/v1/uploads", tusOptions)
	view("GET /api/v1/uploads", s.apiUploads)
	operate("POST /api/v1/uploads", tus(s.beginUpload))
	operate("HEAD /api/v1/uploads/{upload}", tus(s.uploadOffset))
	operate("PATCH /api/v1/uploads/{upload}", tus(s.appendUpload))
	operate("DELETE /api/v1/uploads/{upload}", tus(s.removeUpload))
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, http.StatusNotFound, "the API has nothing under this path, or not with this method")
	})
	mux.Handle("/v2/", s.pulls())
	view("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, http.StatusNotFound, "there is no such page")
	})
	return mux
}

// pulls is the registry, for those who may pull.
func (s *Server) pulls() http.Handler {
	if s.opts.AnonymousPull {
		return s.registry
	}
	inner := s.need(access.Viewer, s.registry.ServeHTTP)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(&basicWriter{w}, r) })
}

// A basicWriter asks for a token in the way that container engines know.
type basicWriter struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *basicWriter) WriteHeader(status int) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="flotobuild"`)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *basicWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
