package web

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestEvents follows a task, leaves, and comes back.
func TestEvents(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	id := mustImport(t, r.site, f.next("one"))
	if err := r.site.Activate(t.Context(), id, "ada"); err != nil {
		t.Fatal(err)
	}
	r.want(202, r.operator, "POST", "/api/v1/redeploy", nil)
	first, leave := r.follow("")
	if got := until(t, first, "pulling images for ada"); !strings.Contains(got, "event: line") {
		t.Errorf("events are %s", got)
	}
	leave()
	r.deployer.proceed <- nil
	second, leave := r.follow("1")
	defer leave()
	got := until(t, second, "event: end")
	if strings.Contains(got, "pulling images") || !strings.Contains(got, "containers are healthy") {
		t.Errorf("after line 1 come %s", got)
	}
	late, leave := r.follow("x")
	defer leave()
	if got := until(t, late, "event: end"); !strings.Contains(got, "pulling images") || !strings.Contains(got, "containers are healthy") {
		t.Errorf("of a task that has ended come %s", got)
	}
}

func (r *rig) follow(last string) (*bufio.Scanner, func()) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	req, err := http.NewRequestWithContext(ctx, "GET", r.http.URL+"/api/v1/tasks/1/events", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.viewer)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != 200 {
		r.t.Fatalf("no events: %v", err)
	}
	return bufio.NewScanner(resp.Body), func() {
		cancel()
		resp.Body.Close()
	}
}

func until(t *testing.T, s *bufio.Scanner, what string) string {
	t.Helper()
	var seen strings.Builder
	for s.Scan() {
		seen.WriteString(s.Text() + "\n")
		if strings.Contains(s.Text(), what) {
			return seen.String()
		}
	}
	t.Fatalf("%q does not come, only %s", what, seen.String())
	return ""
}

// TestLongLog checks that a log keeps its end.
func TestLongLog(t *testing.T) {
	done := &task{changed: make(chan struct{}), hide: strings.ToLower}
	for n := range maxLines + 10 {
		done.logf("%d", n)
	}
	done.logf("%s", strings.Repeat("ä", maxLine))
	_, lines, _ := done.look(0)
	if len(lines) != maxLines || lines[0].Text != "11" || len(lines[maxLines-1].Text) > maxLine+4 {
		t.Errorf("%d lines from %q on", len(lines), lines[0].Text)
	}
	if _, rest, _ := done.look(maxLines + 10); len(rest) != 1 {
		t.Errorf("%d lines are new", len(rest))
	}
}
