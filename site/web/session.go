package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"

	"github.com/flotobuild/flotobuild/site/access"
)

// Times of sessions.
const (
	sessionTime = 12 * time.Hour
	idleLimit   = 2 * time.Hour
	maxSessions = 10000
)

// A session is a browser that somebody has signed in with. It is kept in memory
// only: a restart signs everybody out.
type session struct {
	token   *access.Token
	csrf    string
	created time.Time
	used    time.Time
}

// sessions are kept under the digest of what the browser has, so that looking
// one up tells nothing by the time that it takes.
type sessions struct {
	now func() time.Time

	mu  sync.Mutex
	all map[[sha256.Size]byte]*session
}

func newSessions() *sessions {
	return &sessions{now: time.Now, all: make(map[[sha256.Size]byte]*session)}
}

// open begins a session and gives what the browser is to keep.
func (s *sessions) open(t *access.Token) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	id := rand.Text()
	s.all[sha256.Sum256([]byte(id))] = &session{token: t, csrf: rand.Text(), created: s.now(), used: s.now()}
	return id
}

// sweep drops what has ended, and the one not used for longest where there are
// too many.
func (s *sessions) sweep() {
	var oldest [sha256.Size]byte
	var least time.Time
	for key, one := range s.all {
		if s.ended(one) {
			delete(s.all, key)
		} else if least.IsZero() || one.used.Before(least) {
			oldest, least = key, one.used
		}
	}
	if len(s.all) >= maxSessions {
		delete(s.all, oldest)
	}
}

func (s *sessions) ended(one *session) bool {
	now := s.now()
	return now.Sub(one.created) > sessionTime || now.Sub(one.used) > idleLimit
}

// find gives the session that a browser has; nil for none.
func (s *sessions) find(id string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := sha256.Sum256([]byte(id))
	one := s.all[key]
	if one == nil || s.ended(one) {
		delete(s.all, key)
		return nil
	}
	one.used = s.now()
	return one
}

func (s *sessions) close(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, sha256.Sum256([]byte(id)))
}

// proves says whether a request knows the session's secret against forgery,
// which other sites cannot read.
func (s *session) proves(given string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(s.csrf)) == 1
}

// Names of the cookie. The prefix makes browsers insist that it came over TLS
// from this host.
const (
	cookieName       = "flotobuild-session"
	secureCookieName = "__Host-" + cookieName
)

func (s *Server) cookie(value string) *http.Cookie {
	c := &http.Cookie{
		Name: cookieName, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: s.opts.Secure, MaxAge: int(sessionTime / time.Second),
	}
	if s.opts.Secure {
		c.Name = secureCookieName
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// sessionID gives what the browser has kept.
func (s *Server) sessionID(r *http.Request) string {
	c, err := r.Cookie(s.cookie("").Name)
	if err != nil {
		return ""
	}
	return c.Value
}
