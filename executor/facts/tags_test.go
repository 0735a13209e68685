package facts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/flotobuild/flotobuild/planner"
)

func TestRegistryTags(t *testing.T) {
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	img, err := random.Image(10, 1)
	check(t, err)
	for _, tag := range []string{"1.0.0", "v1.2.0", "latest"} {
		ref, err := name.ParseReference(host + "/app:" + tag)
		check(t, err)
		check(t, remote.Write(ref, img))
	}
	w := workspace(t, nil)
	got, err := w.Tags(context.Background(), host+"/app")
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []string{"1.0.0", "latest", "v1.2.0"}) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := w.Tags(context.Background(), host+"/none"); !errors.Is(err, planner.ErrNoImage) {
		t.Errorf("unknown repository: %v", err)
	}
	if _, err := w.Tags(context.Background(), "Up per"); err == nil || !strings.Contains(err.Error(), "cannot parse") {
		t.Errorf("bad reference: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Tags(ctx, host+"/app"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// pages serves a repository with one tag on a page, as many as there are.
func pages(t *testing.T, all int) (host string, asked *int) {
	asked = new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/tags/list") {
			return
		}
		*asked++
		n, _ := strconv.Atoi(r.URL.Query().Get("last"))
		if n+1 < all {
			w.Header().Set("Link", fmt.Sprintf("<%s?n=1&last=%d>; rel=\"next\"", r.URL.Path, n+1))
		}
		fmt.Fprintf(w, `{"name":"app","tags":["1.0.%d"]}`, n)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), asked
}

func TestPagesOfTags(t *testing.T) {
	host, _ := pages(t, 30)
	got, err := workspace(t, nil).Tags(context.Background(), host+"/app")
	if err != nil || len(got) != 30 || got[29] != "1.0.29" {
		t.Errorf("got %d tags, %v", len(got), err)
	}
	host, asked := pages(t, 1<<30)
	if _, err := workspace(t, nil).Tags(context.Background(), host+"/app"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a list without end: %v", err)
	}
	if *asked > maxPages+1 {
		t.Errorf("%d pages were read", *asked)
	}
}

// What a registry does not answer is told apart from what it denies, and one
// that cannot be reached is asked once.
func TestNoAnswer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/denied/"):
			w.WriteHeader(http.StatusForbidden)
		case strings.Contains(r.URL.Path, "/absent/"):
			w.WriteHeader(http.StatusNotFound)
		case strings.Contains(r.URL.Path, "/failing/"):
			w.WriteHeader(http.StatusNotImplemented)
		}
	}))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	w := workspace(t, nil)
	for repo, want := range map[string]error{"denied": planner.ErrNoAnswer, "absent": planner.ErrNoImage, "failing": planner.ErrNoAnswer} {
		if _, err := w.Reference(context.Background(), host+"/"+repo+"/app:1"); !errors.Is(err, want) {
			t.Errorf("%s: %v", repo, err)
		}
		if _, err := w.Tags(context.Background(), host+"/"+repo+"/app"); !errors.Is(err, want) {
			t.Errorf("tags of %s: %v", repo, err)
		}
	}
	s.Close()
	_, err := w.Reference(context.Background(), host+"/app:1")
	if !errors.Is(err, planner.ErrNoAnswer) {
		t.Fatalf("down: %v", err)
	}
	if _, again := w.Reference(context.Background(), host+"/other:1"); again != err { //nolint:errorlint // it is the very same
		t.Errorf("a registry that is down is asked again: %v", again)
	}
	if _, again := w.Tags(context.Background(), host+"/other"); again != err { //nolint:errorlint // it is the very same
		t.Errorf("a registry that is down is asked again for tags: %v", again)
	}
}

func TestLayoutTags(t *testing.T) {
	entry := func(name string) string {
		return `{"digest":"` + sumA + `","annotations":{"org.opencontainers.image.ref.name":"` + name + `"}}`
	}
	w := workspace(t, map[string]string{
		"l/index.json": `{"manifests":[` + strings.Join([]string{
			entry("2.0.0"), entry("registry.example:5000/app:1.0.0+7"), entry("2.0.0"),
			entry("registry.example:5000/app"), entry("app@sha256:00"), entry(""), `{"digest":"` + sumA + `"}`,
		}, ",") + `]}`,
		"broken/index.json": `{"manifests":`,
	})
	got, err := w.Tags(context.Background(), "oci-layout://l")
	if err != nil || !slices.Equal(got, []string{"1.0.0+7", "2.0.0"}) {
		t.Errorf("got %q, %v", got, err)
	}
	if d, err := w.Reference(context.Background(), "oci-layout://l:1.0.0+7"); err != nil || d != sumA {
		t.Errorf("build metadata: %s, %v", d, err)
	}
	if _, err := w.Tags(context.Background(), "oci-layout://broken"); err == nil || !strings.Contains(err.Error(), "cannot parse image index") {
		t.Errorf("broken: %v", err)
	}
	if _, err := w.Tags(context.Background(), "oci-layout://missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

// The lock file travels, though it is hidden and younger than git's listing; what
// a killed flotobuild left does not.
func TestLockFileInConf(t *testing.T) {
	files := map[string]string{"a": "a", ".flotobuild-tmp-X": "half", "sub/.flotobuild.lock.hcl": "x"}
	for name, dir := range map[string]string{"no git": open(t, t.TempDir()).dir, "git": repository(t, map[string]string{"b": "b"})} {
		tree(t, dir, files)
		w := open(t, dir)
		_, err := w.listing()
		check(t, err)
		tree(t, dir, map[string]string{".flotobuild.lock.hcl": "# lock"})
		got, err := w.Conf(context.Background(), planner.ConfQuery{Include: []string{"**"}})
		check(t, err)
		var paths []string
		for _, f := range got {
			paths = append(paths, f.Path)
		}
		want := ".flotobuild.lock.hcl a"
		if name == "git" {
			want += " b sub/.flotobuild.lock.hcl"
		}
		if strings.Join(paths, " ") != want {
			t.Errorf("%s: %q", name, paths)
		}
	}
}
