package executor

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/planner"
)

func TestDockerfileReads(t *testing.T) {
	const text = `ARG BASE=alpine
FROM golang AS build
ARG VERSION
COPY src/cmd go.* ./
RUN go build
FROM $BASE AS plain
COPY --from=conf etc/app /etc/app
FROM plain
ARG A
ARG B=$A
COPY a$A/ /a/
COPY --link --from=build /out/app /usr/bin/app
RUN --mount=type=bind,source=scripts,target=/s \
    --mount=type=bind,from=tools/image,target=/t \
    --mount=type=secret,id=key /s/run
ADD . /all/
ADD https://example.com/x /x
COPY --from=1 /etc /e
WORKDIR /work
COPY <<EOT /heredoc
text
EOT
RUN --mount=type=cache,target=/c true
`
	build := &planner.Build{Contexts: map[string]planner.Context{"conf": {Dir: "config"}}}
	var got []string
	for _, s := range dockerfileSteps([]byte(text), build) {
		slices.Sort(s.reads)
		alone := ""
		if s.alone {
			alone = " alone"
		}
		got = append(got, fmt.Sprintf("%d %s%s: %s", s.line, s.keyword, alone, strings.Join(slices.Compact(s.reads), " ")))
	}
	want := []string{
		"7 COPY: base:conf context-dir:conf:etc image:conf",
		"9 ARG: ",
		"10 ARG: arg:A arg:B",
		"11 COPY: arg:A arg:B context:",
		"12 COPY alone: arg:VERSION base:golang context:go.* context:src image:golang",
		"13 RUN: arg:A arg:B base:tools/image context-dir:tools/image: context:scripts image:tools/image secret:",
		"16 ADD: context:",
		"17 ADD: context:https:",
		"18 COPY: base: base:conf context-dir: context-dir:conf:etc image: image:conf",
		"19 WORKDIR: ",
		"20 COPY: ",
		"23 RUN: arg:A arg:B",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, bad := range []string{"", "FROM", "FROM a AS b\nFROM b AS a\nCOPY --from=a / /\n", "FROM x\nCOPY --from=9 a b"} {
		dockerfileSteps([]byte(bad), build) // must come back
	}
}
