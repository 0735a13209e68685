package web

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// stallTime is how long one read or write of a connection may take. Uploads and
// pulls as a whole may take as long as they need.
const stallTime = time.Minute

// policy is what pages may load: this server's own files. Nothing may frame
// them.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// guard stands before everything.
func (s *Server) guard(next http.Handler) http.Handler {
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, http.StatusForbidden, "the request comes from another site")
	}))
	checked := origins.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		defer s.hurry(control)
		w = &patientWriter{w, control, s.stall}
		r.Body = &patientBody{r.Body, control, s.stall}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !s.knownHost(r.Host) {
			s.refuse(w, r, http.StatusMisdirectedRequest, "this server does not go by the name in the request; -host adds names")
			return
		}
		checked.ServeHTTP(w, r)
	})
}

// hurry bounds what is left of a request when its handler has ended: the server
// reads the rest of the body, and sends what it has gathered of the answer.
func (s *Server) hurry(control *http.ResponseController) {
	end := time.Now().Add(s.stall)
	_ = control.SetReadDeadline(end)
	_ = control.SetWriteDeadline(end)
}

// knownHost refuses names of others: they could be made to mean this machine, so
// that their pages would pass for this server's.
func (s *Server) knownHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" {
		return true // no name that anybody could make mean something else
	}
	return slices.ContainsFunc(s.opts.Hosts, func(h string) bool { return strings.EqualFold(h, host) }) ||
		s.opts.KnownHost != nil && s.opts.KnownHost(host)
}

// A patientWriter gives every write its time.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
}

// Write implements io.Writer.
func (w *patientWriter) Write(p []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.stall)) // tests' writers have none
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// A patientBody gives every read its time. The server clears the deadline when
// the body has been read.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
	stall   time.Duration
}

// Read implements io.Reader.
func (b *patientBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(b.stall)) // tests' writers have none
	return b.ReadCloser.Read(p)
}
