package docker

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// TestComposeOneFits asks engines that tell of images more or less.
func TestComposeOneFits(t *testing.T) {
	dir, err := os.MkdirTemp("", "one") // sockets have short paths
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	status, body := 200, ""
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/info"):
			fmt.Fprint(w, `{"ID":"x","OSType":"linux","Architecture":"x86_64","ServerVersion":"29.0.0"}`)
		case strings.HasPrefix(r.URL.Path, "/v1.38/images/"):
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}))
	server.Listener.Close()
	server.Listener = l
	server.Start()
	defer server.Close()
	env := Environment{Getenv: func(string) string { return "" }, Home: dir}
	p, err := env.Resolve("unix://" + filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := Connect(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, c := range []struct {
		version string
		status  int
		body    string
		want    string // part of the error
	}{
		{"1.29.2", 200, `{"Id":"x","ContainerConfig":{}}`, ""},
		{"1.29.2", 200, `{"Id":"x","ContainerConfig":null}`, ""},
		{"1.29.2", 200, `{"Id":"x"}`, "Compose 1.29.2 cannot replace containers"},
		{"1.29.2", 400, `{"message":"client version 1.38 is too old"}`, "cannot replace containers"},
		{"1.29.2", 404, `{}`, ""},
		{"1.29.2", 200, `{"Id`, "cannot read what the engine"},
		{"2.24.6", 200, `{"Id":"x"}`, ""},
		{"dev", 200, `{"Id":"x"}`, ""},
	} {
		status, body = c.status, c.body
		err := (&Compose{Version: c.version}).Fits(t.Context(), e, digest.FromString("image"))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
		if old := (*OldComposeError)(nil); errors.As(err, &old) != strings.Contains(c.want, "replace") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
