package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// hasty is a rig whose connections stall after a moment.
func hasty(t *testing.T) *rig {
	r := newRig(t)
	r.server.stall = 150 * time.Millisecond
	return r
}

// A rawLine is a connection that is used again and again.
type rawLine struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func (r *rig) line() *rawLine {
	r.t.Helper()
	c, err := net.Dial("tcp", r.http.Listener.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return &rawLine{c, r.t, bufio.NewReader(c)}
}

func (l *rawLine) printf(format string, args ...any) { fmt.Fprintf(l, format, args...) }

// status reads an answer.
func (l *rawLine) status() int {
	l.t.Helper()
	resp, err := http.ReadResponse(l.r, nil)
	if err != nil {
		l.t.Fatalf("no answer: %v", err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.StatusCode
}

// head is the beginning of a request.
func (r *rig) head(method, path string, length int) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		method, path, r.operator, offsetType, length)
}

// TestStall checks that deadlines are for one read or write: neither for what
// takes long as a whole, nor for what follows on the connection.
func TestStall(t *testing.T) {
	r := hasty(t)
	location := r.beginUpload("a.floto-patch.zip", 6)
	l := r.line()
	l.printf("%s", r.head("GET", "/api/v1/site", 0))
	if got := l.status(); got != 200 {
		t.Fatalf("the first request: %d", got)
	}
	time.Sleep(2 * r.server.stall) // the connection is idle, and used again
	l.printf("%s", r.head("PATCH", location, 6))
	for _, c := range "123456" { // longer than a stall altogether
		time.Sleep(r.server.stall / 3)
		l.printf("%c", c)
	}
	if got := l.status(); got != 204 {
		t.Errorf("a slow upload: %d", got)
	}
	time.Sleep(2 * r.server.stall)
	l.printf("%s", r.head("DELETE", "/api/v1/incoming/a.floto-patch.zip", 0))
	if got := l.status(); got != 204 {
		t.Errorf("the last request: %d", got)
	}
}

// TestLongHandler checks that a request does not end because its body was read
// long ago.
func TestLongHandler(t *testing.T) {
	r := hasty(t)
	h := httptest.NewServer(r.server.guard(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		select {
		case <-req.Context().Done():
			w.WriteHeader(http.StatusInternalServerError)
		case <-time.After(3 * r.server.stall):
			w.WriteHeader(http.StatusNoContent)
		}
	})))
	defer h.Close()
	resp, err := http.Post(h.URL, "text/plain", strings.NewReader("x"))
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Errorf("a long request: %v, %v", resp, err)
	}
}

// TestStalled checks that who stops in the middle of a request is cut off, and
// what came stays.
func TestStalled(t *testing.T) {
	r := hasty(t)
	location := r.beginUpload("a.floto-patch.zip", 1000)
	l := r.line()
	l.printf("%sonly this", r.head("PATCH", location, 1000))
	answer, err := l.r.ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) || strings.Contains(answer, " 2") {
		t.Errorf("a stalled upload is answered with %q, %v", answer, err)
	}
	for end := time.Now().Add(time.Minute); r.offset(location) != "9"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("of a stalled upload %s bytes stay", r.offset(location))
		}
	}
}

// TestLongEvents checks that a log can be followed for longer than a stall.
func TestLongEvents(t *testing.T) {
	r, f := hasty(t), newFactory(t)
	id := mustImport(t, r.site, f.next("one"))
	if err := r.site.Activate(t.Context(), id, "ada"); err != nil {
		t.Fatal(err)
	}
	r.want(202, r.operator, "POST", "/api/v1/redeploy", nil)
	events, leave := r.follow("")
	defer leave()
	until(t, events, "pulling images")
	time.Sleep(3 * r.server.stall)
	r.deployer.proceed <- nil
	until(t, events, "event: end")
}

func TestLargeBodies(t *testing.T) {
	r := newRig(t)
	large := []byte("token=" + strings.Repeat("x", maxForm))
	resp, _ := r.call("", "POST", "/login", large, "Content-Type", "application/x-www-form-urlencoded")
	if resp.StatusCode == 200 || resp.StatusCode == 303 {
		t.Errorf("a form of %d bytes: %d", len(large), resp.StatusCode)
	}
}

// TestRun stops a server while a task runs, with somebody who follows it.
func TestRun(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	id := mustImport(t, r.site, f.next("one"))
	if err := r.site.Activate(t.Context(), id, "ada"); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.server.Run(ctx, l) }()
	r.http.URL = "http://" + l.Addr().String()
	r.want(202, r.operator, "POST", "/api/v1/redeploy", nil)
	events, leave := r.follow("")
	defer leave()
	until(t, events, "pulling images")
	stop()
	if got := until(t, events, "event: end") + until(t, events, "data:"); !strings.Contains(got, errStopping.Error()) {
		t.Errorf("who follows the task sees %s", got)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the server ends with %v", err)
		}
	case <-time.After(grace + 5*time.Second):
		t.Fatal("the server does not end")
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

// TestBusy checks that the page tells who changes the site elsewhere.
func TestBusy(t *testing.T) {
	r := newRig(t)
	unlock, err := r.site.Lock(t.Context(), "a test")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	v, _ := r.signIn(r.viewer)
	if _, text := v.get("/"); !strings.Contains(text, "The site is being changed by") || !strings.Contains(text, "a test") {
		t.Errorf("the page does not say so: %s", text)
	}
	if text := r.want(200, r.viewer, "GET", "/api/v1/site", nil); !strings.Contains(text, `"what": "a test"`) {
		t.Errorf("the API does not say so: %s", text)
	}
}
