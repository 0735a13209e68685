package web

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/flotobuild/flotobuild/site/access"
)

// An identity is who asks.
type identity struct {
	Name    string // empty for somebody unknown
	Role    access.Role
	session *session // nil for a token in the request itself
}

// CanOperate says whether they may change the site.
func (i *identity) CanOperate() bool { return i.Role.May(access.Operator) }

// SignedIn says whether there is a session to end.
func (i *identity) SignedIn() bool { return i.session != nil }

// CSRF is what the session's forms carry.
func (i *identity) CSRF() string {
	if i.session == nil {
		return ""
	}
	return i.session.csrf
}

type identityKey struct{}

// who gives the identity of a request that has passed need.
func who(r *http.Request) *identity {
	if i, ok := r.Context().Value(identityKey{}).(*identity); ok {
		return i
	}
	return &identity{}
}

// need lets requests pass of those who have a role.
func (s *Server) need(role access.Role, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i, status, err := s.identify(w, r)
		switch {
		case err != nil:
			s.unreadable(w, r, err)
		case status == http.StatusTooManyRequests:
			s.refuse(w, r, status, "too many wrong tokens came from there; wait a moment")
		case i == nil && wantsPage(r) && status == 0:
			s.toLogin(w, r)
		case i == nil:
			w.Header().Set("WWW-Authenticate", `Bearer realm="flotobuild"`)
			s.refuse(w, r, http.StatusUnauthorized, "a token of this site is needed")
		case !i.Role.May(role):
			s.refuse(w, r, http.StatusForbidden, "only an operator may do this")
		case i.session != nil && !safeMethod(r) && !i.session.proves(proof(w, r)):
			s.refuse(w, r, http.StatusForbidden, "the form is too old, or not from this server; load the page again")
		default:
			next(w, r.WithContext(context.WithValue(r.Context(), identityKey{}, i)))
		}
	})
}

// identify tells who asks; nil for nobody, with a status where something was
// tried.
func (s *Server) identify(w http.ResponseWriter, r *http.Request) (*identity, int, error) {
	if secret, ok := secretOf(r); ok {
		t, status, err := s.check(w, r, secret)
		if t == nil {
			return nil, status, err
		}
		return &identity{Name: t.Name, Role: t.Role}, 0, nil
	}
	if one := s.sessions.find(s.sessionID(r)); one != nil {
		valid, err := s.opts.Tokens.Valid(one.token)
		if err != nil {
			return nil, 0, err
		}
		if valid {
			return &identity{Name: one.token.Name, Role: one.token.Role, session: one}, 0, nil
		}
		s.sessions.close(s.sessionID(r))
	}
	if !s.opts.Anonymous {
		return nil, 0, nil
	}
	tokens, err := s.opts.Tokens.Tokens()
	if err != nil || len(tokens) > 0 {
		return nil, 0, err
	}
	return &identity{Role: access.Viewer}, 0, nil
}

// unreadable answers when tokens cannot be read. Who asks is not known, and gets
// no details.
func (s *Server) unreadable(w http.ResponseWriter, r *http.Request, err error) {
	s.opts.Log.Error("cannot tell who asks", "path", r.URL.Path, "error", err.Error())
	s.refuse(w, r, http.StatusInternalServerError, "the server cannot read its tokens; its log says why")
}

// check looks a token up, and makes those wait who try many.
func (s *Server) check(w http.ResponseWriter, r *http.Request, secret string) (*access.Token, int, error) {
	source := sourceOf(r)
	if pause := s.throttle.wait(source); pause > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(pause.Seconds()))))
		return nil, http.StatusTooManyRequests, nil
	}
	t, err := s.opts.Tokens.Find(secret)
	if err != nil {
		return nil, 0, err
	}
	if t == nil {
		s.throttle.failed(source)
		s.opts.Log.Warn("wrong token", "source", source.Addr().String())
		return nil, http.StatusUnauthorized, nil
	}
	s.throttle.succeeded(source)
	return t, 0, nil
}

// secretOf gives the token that a request carries itself: as a bearer, or as the
// password of whatever user, which is how container engines sign in.
func secretOf(r *http.Request) (string, bool) {
	if _, password, ok := r.BasicAuth(); ok {
		return password, true
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(secret), true
	}
	return "", false
}

func safeMethod(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
}

// proof gives what a form or a script has from the page against forgery.
func proof(w http.ResponseWriter, r *http.Request) string {
	if h := r.Header.Get("X-CSRF-Token"); h != "" {
		return h
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return ""
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	return r.PostFormValue("csrf")
}

// wantsPage says whether a request is a browser's for a page.
func wantsPage(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/api/") && !strings.HasPrefix(r.URL.Path, "/v2/") && r.URL.Path != "/v2"
}

// toLogin sends a browser to sign in, and back afterwards.
func (s *Server) toLogin(w http.ResponseWriter, r *http.Request) {
	to := "/login"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(r.URL.Path)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// signIn answers the form of the page for it.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxSignIn)
	t, status, err := s.check(w, r, strings.TrimSpace(r.PostFormValue("token")))
	switch {
	case err != nil:
		s.unreadable(w, r, err)
		return
	case status == http.StatusTooManyRequests:
		s.loginPage(w, r, status, "Too many wrong tokens came from there. Wait a moment.")
		return
	case t == nil:
		s.loginPage(w, r, http.StatusUnauthorized, "This is no token of this site.")
		return
	}
	s.sessions.close(s.sessionID(r))
	http.SetCookie(w, s.cookie(s.sessions.open(t)))
	http.Redirect(w, r, localPath(r.PostFormValue("next")), http.StatusSeeOther)
}

// localPath gives a path of this server, whatever somebody has put in a link.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return u.EscapedPath()
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	s.sessions.close(s.sessionID(r))
	http.SetCookie(w, s.cookie(""))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
