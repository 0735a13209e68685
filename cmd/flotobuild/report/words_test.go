package report

import (
	"testing"

	"github.com/flotobuild/flotobuild/planner"
)

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 1049: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB",
		4_700_000_000: "4.7 GB", 9_223_372_036_854_775_807: "9223372.0 TB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestReasonText(t *testing.T) {
	const a, b = "sha256:0123456789abcdef0123456789abcdef", "sha256:fedcba9876543210fedcba9876543210"
	for _, tt := range []struct {
		input, old, now, want string
	}{
		{"arg:RELEASE", "2.1.5", "2.1.6", `arg RELEASE "2.1.5" → "2.1.6"`},
		{"arg:DEBUG", "", "1", `arg DEBUG new: "1"`},
		{"label:vendor", "x", "", `label vendor removed, was "x"`},
		{"target", "prod", "dev", `target "prod" → "dev"`},
		{"platform", "linux/amd64", "linux/arm64", `platform "linux/amd64" → "linux/arm64"`},
		{"secret:token", "", "present", "secret token new, (sensitive value)"},
		{"secret:token", "present", "", "secret token removed, (sensitive value)"},
		{"dockerfile", a, b, "Dockerfile changed"},
		{"context:app", a, b, "context app changed"},
		{"context:app", "", b, "context app new"},
		{"context:app", a, "", "context app removed"},
		{"context", a, b, "context changed"},
		{"context-dir:tools:bin", a, b, `context "tools" bin changed`},
		{"image:base", a, b, "base image base changed"},
		{"base:alpine", a, b, "base image alpine sha256:0123456789ab → sha256:fedcba987654"},
		{"source", a, b, "source sha256:0123456789ab → sha256:fedcba987654"},
		{"rootfs", a, b, "root file system changed"},
		{planner.InputNew, "", "", "the parent has no image of this name"},
		{planner.InputNeededBy, "", "image_set.a.image.b", "image_set.a.image.b is built on it"},
		{"weather", a, b, "weather changed"},
	} {
		if got := reasonText(planner.Reason{Input: tt.input, Old: tt.old, New: tt.now}); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.input, got, tt.want)
		}
	}
}

func TestStep(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "(step unknown)",
		"COPY app/ /srv # buildkit":        "COPY app/ /srv",
		"RUN |1 R=1 /bin/sh -c make\n all": "RUN make all",
		"RUN /bin/sh -c make # buildkit":   "RUN make",
		"COPY /bin/sh -c /x":               "COPY /bin/sh -c /x",
	} {
		if got := Step(in); got != want {
			t.Errorf("Step(%q) = %q, want %q", in, got, want)
		}
	}
}
