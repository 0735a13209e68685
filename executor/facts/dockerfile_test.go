package facts

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/planner"
)

func TestDockerfileReferences(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
		q    planner.DockerfileQuery
		want string
	}{
		{name: "one", text: "FROM alpine", want: "alpine"},
		{name: "latest is left out", text: "FROM docker.io/library/alpine:latest", want: "alpine"},
		{name: "tag", text: "FROM alpine:3.20", want: "alpine:3.20"},
		{name: "registry", text: "FROM registry.example:5000/a/b:1", want: "registry.example:5000/a/b:1"},
		{name: "digest", text: "FROM alpine@" + sumA, want: "alpine@" + sumA},
		{name: "scratch", text: "FROM scratch\nCOPY a /", want: ""},
		{name: "lower case, directives, comments", text: "# syntax=docker/dockerfile:1\n# escape=`\n# hi\nfrom alpine as a\nfrom a", want: "alpine"},
		{name: "stages", text: "FROM golang AS build\nFROM alpine\nCOPY --from=build /a /", want: "alpine golang"},
		{name: "stage that is not needed", text: "FROM golang AS build\nFROM alpine", want: "alpine"},
		{name: "stage on a stage", text: "FROM golang AS build\nRUN x\nFROM build AS test\nFROM build", want: "golang"},
		{name: "stage of its image's name", text: "FROM golang AS golang\nFROM golang", want: "golang"},
		{name: "target", text: "FROM a AS one\nFROM b AS two\nFROM c", q: planner.DockerfileQuery{Target: "one"}, want: "a"},
		{name: "target in other case", text: "FROM a AS one\nFROM c", q: planner.DockerfileQuery{Target: "ONE"}, want: "a"},
		{name: "copy by index", text: "FROM a\nFROM b\nFROM c\nCOPY --from=1 /x /", want: "b c"},
		{name: "copy from an image", text: "FROM scratch\nCOPY --from=nginx:1 /x /", want: "nginx:1"},
		{name: "copy from a stage in other case", text: "FROM a AS one\nFROM scratch\nCOPY --from=One /x /", want: "a"},
		{name: "mount", text: "FROM a\nRUN --mount=type=bind,from=tools,target=/t x", want: "a tools"},
		{name: "mount of a stage", text: "FROM a AS one\nFROM b\nRUN --mount=from=one,target=/t x", want: "a b"},
		{name: "mounts without images", text: "FROM a\nRUN --mount=type=cache,target=/c --mount=type=secret,id=t x", want: "a"},
		{name: "default argument", text: "ARG V=3\nFROM alpine:$V", want: "alpine:3"},
		{name: "build argument", text: "ARG V=3\nFROM alpine:${V}", q: planner.DockerfileQuery{Args: map[string]string{"V": "4"}}, want: "alpine:4"},
		{name: "build argument without declaration", text: "FROM alpine:${V:-5}", q: planner.DockerfileQuery{Args: map[string]string{"V": "4"}}, want: "alpine:5"},
		{name: "argument from argument", text: "ARG A=x\nARG B=${A}y\nFROM $B", want: "xy"},
		{name: "target platform", text: "FROM base-$TARGETARCH", q: planner.DockerfileQuery{Platforms: []string{"linux/arm64"}}, want: "base-arm64"},
		{name: "several platforms", text: "FROM base-$TARGETARCH", q: planner.DockerfileQuery{Platforms: []string{"linux/amd64", "linux/arm64"}}, want: "base-amd64 base-arm64"},
		{name: "build platform", text: "FROM --platform=$BUILDPLATFORM go-$BUILDARCH", q: planner.DockerfileQuery{Platforms: []string{"linux/arm64"}}, want: "go-amd64"},
		{name: "context for an image", text: "FROM base", q: planner.DockerfileQuery{Contexts: []string{"base"}}, want: ""},
		{name: "context for a full reference", text: "FROM docker.io/library/base:latest", q: planner.DockerfileQuery{Contexts: []string{"base"}}, want: ""},
		{name: "context for another tag", text: "FROM base:1", q: planner.DockerfileQuery{Contexts: []string{"base"}}, want: "base:1"},
		{name: "context for a copy", text: "FROM a\nCOPY --from=files /x /", q: planner.DockerfileQuery{Contexts: []string{"files"}}, want: "a"},
		{name: "context for a stage", text: "FROM golang AS build\nCOPY --from=node /x /\nFROM a\nCOPY --from=build /x /", q: planner.DockerfileQuery{Contexts: []string{"build"}}, want: "a"},
		{name: "heredoc", text: "FROM a\nRUN <<EOF\nFROM b\nEOF\n", want: "a"},
		{name: "onbuild is not looked into", text: "FROM a\nONBUILD COPY --from=b /x /", want: "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := workspace(t, map[string]string{"Dockerfile": c.text})
			c.q.File = "Dockerfile"
			if c.q.Platforms == nil {
				c.q.Platforms = []string{"linux/amd64"}
			}
			d, err := w.Dockerfile(context.Background(), c.q)
			check(t, err)
			if got := strings.Join(d.References, " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if c.q.Contexts == nil {
				if got := strings.Join(resolvedByBuildKit(t, c.text, c.q), " "); got != c.want {
					t.Errorf("BuildKit resolves %s, want %s", got, c.want)
				}
			}
		})
	}
}

// recorder notes which images BuildKit asks for.
type recorder struct {
	mu   sync.Mutex
	refs map[string]bool
}

func (r *recorder) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	key, err := planner.ContextKey(ref)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refs[key] = true
	return ref, sumA, []byte(`{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":["` + sumA + `"]}}`), err
}

// resolvedByBuildKit converts the Dockerfile for real and returns the keys of
// the images that were asked for.
func resolvedByBuildKit(t *testing.T, text string, q planner.DockerfileQuery) []string {
	t.Helper()
	r := &recorder{refs: make(map[string]bool)}
	caps := pb.Caps.CapSet(pb.Caps.All())
	for _, name := range q.Platforms {
		p, err := platforms.Parse(name)
		check(t, err)
		_, err = dockerfile2llb.Dockerfile2LLB(context.Background(), []byte(text), dockerfile2llb.ConvertOpt{
			Config:         dockerui.Config{BuildArgs: q.Args, Target: q.Target, BuildPlatforms: []ocispec.Platform{amd64}},
			TargetPlatform: &p,
			MetaResolver:   r,
			LLBCaps:        &caps,
		})
		check(t, err)
	}
	return slices.Sorted(maps.Keys(r.refs))
}

func TestDockerfileErrors(t *testing.T) {
	for _, c := range []struct {
		name, text string
		line       int
		message    string
		target     string
	}{
		{"empty", " \n", 0, "is empty", ""},
		{"only comments", "# x\n", 1, "no instructions", ""},
		{"unknown instruction", "FROM a\n\nRUNN x\n", 3, "unknown instruction: RUNN", ""},
		{"no FROM", "RUN x\n", 1, "no build stage in current context", ""},
		{"blank base", "ARG X\nFROM $X\n", 2, "should not be blank", ""},
		{"bad reference", "FROM a\nFROM Up\n", 2, "lowercase", ""},
		{"bad stage index", "FROM a\nCOPY --from=7 /x /\n", 2, "invalid stage index", ""},
		{"variable in from", "FROM a\nARG X\nCOPY --from=$X /x /\n", 3, "variable expansion", ""},
		{"unknown flag", "FROM a\nCOPY --form=b /x /\n", 2, "unknown flag", ""},
		{"cycle", "FROM a AS one\nCOPY --from=two /x /\nFROM b AS two\nCOPY --from=one /x /\n", 3, "circular dependency", ""},
		{"unknown target", "FROM a\n", 0, `target stage "x" could not be found`, "x"},
		{"bad platform", "FROM --platform=a/b/c/d x\n", 1, "a/b/c/d", ""},
		{"not text", "\x00\x01", 1, "unknown instruction", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := workspace(t, map[string]string{"sub/Dockerfile": c.text})
			_, err := w.Dockerfile(context.Background(), planner.DockerfileQuery{File: "sub/Dockerfile", Target: c.target, Platforms: []string{"linux/amd64"}})
			var s *planner.SourceError
			if !errors.As(err, &s) {
				t.Fatalf("got %v", err)
			}
			if s.File != "sub/Dockerfile" || s.Line != c.line || !strings.Contains(s.Error(), c.message) {
				t.Errorf("got %v", s)
			}
		})
	}
	w := workspace(t, map[string]string{"folder/": ""})
	if _, err := w.Dockerfile(context.Background(), planner.DockerfileQuery{File: "Dockerfile"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := w.Dockerfile(context.Background(), planner.DockerfileQuery{File: "folder"}); err == nil {
		t.Error("a folder is accepted")
	}
}

func FuzzDockerfile(f *testing.F) {
	f.Add("ARG V=3\nFROM a:$V AS b\nFROM scratch\nCOPY --from=b /x /\nRUN --mount=from=c x")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDockerfile([]byte(text))
		if err != nil {
			return
		}
		g, err := d.graph(planner.DockerfileQuery{}, "linux/amd64", amd64)
		if err != nil {
			return
		}
		if s, err := g.target(""); err == nil {
			_ = g.collect(s, map[string]bool{})
		}
	})
}
