package web

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/incoming"
)

// Bounds of the bodies of requests that are no uploads, in bytes.
const (
	maxSignIn = 64 << 10 // of somebody unknown
	maxForm   = 4 << 20  // a value of the site, with what forms make of its characters
)

// answer sends a value as JSON.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		s.broken(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // who has gone away needs no answer
}

// refuse says why a request is not answered, in the form that the client reads.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/v2/"):
		s.answer(w, r, status, map[string][]map[string]string{"errors": {{"code": registryCode(status), "message": why}}})
	case wantsPage(r):
		s.problemPage(w, r, status, why)
	default:
		s.answer(w, r, status, map[string]string{"error": why})
	}
}

func registryCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "UNAUTHORIZED"
	case http.StatusTooManyRequests:
		return "TOOMANYREQUESTS"
	}
	return "DENIED"
}

// broken answers with an error: what can be mended by who asked has a status of
// its own, and the rest is logged.
func (s *Server) broken(w http.ResponseWriter, r *http.Request, err error) {
	status := statusOf(err)
	if status == http.StatusInternalServerError {
		if r.Context().Err() != nil {
			// The client has gone away or stands still, and that is why. What the
			// server would send if this returned is a success.
			panic(http.ErrAbortHandler)
		}
		s.opts.Log.Error("cannot answer", "method", r.Method, "path", r.URL.Path, "error", err.Error())
	}
	s.refuse(w, r, status, s.hide(err.Error()))
}

// noContent answers that something was done, or what went wrong.
func (s *Server) noContent(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		s.broken(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func statusOf(err error) int {
	var missing *site.MissingPatchError
	var busy *BusyError
	var locked *site.LockedError
	var large *http.MaxBytesError
	var value *site.ValueError
	var keep *keepError
	switch {
	case errors.As(err, &missing), errors.Is(err, fs.ErrNotExist), errors.Is(err, incoming.ErrUnknown), errors.Is(err, site.ErrNoValue):
		return http.StatusNotFound
	case errors.As(err, &busy), errors.As(err, &locked), errors.Is(err, site.ErrNoActive), errors.Is(err, site.ErrImporting), errors.Is(err, incoming.ErrExists), errors.Is(err, incoming.ErrOffset):
		return http.StatusConflict
	case errors.Is(err, incoming.ErrBusy):
		return http.StatusLocked
	case errors.As(err, &value):
		return http.StatusUnprocessableEntity
	case errors.Is(err, incoming.ErrName), errors.As(err, &keep):
		return http.StatusBadRequest
	case errors.Is(err, incoming.ErrLong), errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, incoming.ErrSpace):
		return http.StatusInsufficientStorage
	case errors.Is(err, errNoDeployer):
		return http.StatusNotImplemented
	case errors.Is(err, errStopping):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
