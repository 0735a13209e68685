package executor

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

func TestLocate(t *testing.T) {
	dir := t.TempDir()
	dockerfile := `FROM base AS b
RUN echo a > /a
FROM other
RUN never
FROM b
WORKDIR /w
RUN echo $R > /hello && \
  echo more
ENV X=1
copy --link file /late
RUN echo last
`
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		t.Fatal(err)
	}
	layers := []patch.Layer{
		{CreatedBy: "rootfs base.tar"},
		{CreatedBy: "RUN /bin/sh -c echo a > /a # buildkit"},
		{CreatedBy: "RUN |1 R=2 /bin/sh -c echo $R > /hello &&   echo more # buildkit"},
		{CreatedBy: "COPY file /late # buildkit"},
		{CreatedBy: "RUN /bin/sh -c echo last # buildkit"},
	}
	r := &run{opts: Options{Dir: dir}}
	img := &planner.Image{Build: &planner.Build{Context: ".", Dockerfile: "Dockerfile"}}
	want := "[{ 0 } {RUN 2 RUN echo a > /a} {RUN 7 RUN echo $R > /hello && \\} {COPY 10 copy --link file /late} {RUN 11 RUN echo last}]"
	if got := sketch(r.locate(img, layers)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	img.Build.Target = "b"
	want = "[{ 0 } {RUN 2 RUN echo a > /a}]"
	if got := sketch(r.locate(img, layers[:2])); got != want {
		t.Errorf("target b: got %s\nwant %s", got, want)
	}
}

// sketch writes steps without what they read.
func sketch(steps []step) string {
	type place struct {
		keyword string
		line    int
		text    string
	}
	var out []place
	for _, s := range steps {
		out = append(out, place{s.keyword, s.line, s.text})
	}
	return fmt.Sprint(out)
}
