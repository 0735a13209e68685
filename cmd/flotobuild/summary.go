package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/flotobuild/flotobuild/cmd/flotobuild/report"
	"github.com/flotobuild/flotobuild/executor"
)

// A summary tells what apply did.
type summary struct {
	result *executor.Result
	dir    string // of the project; files are named relative to it
	color  bool

	b strings.Builder
}

func (s *summary) render() string {
	s.line("")
	s.images()
	s.envelopes()
	s.outputs()
	written := 0
	for _, site := range s.result.Sites {
		s.site(site)
		if site.File != "" {
			written++
		}
	}
	if done := s.done(); written == 0 && done != "" {
		s.line("%s %s.", paint(s.color, green, "Apply complete."), done)
		return s.b.String()
	}
	if written == 0 {
		s.line("%s The builds gave what the sites have already; nothing was written.", paint(s.color, green, "No changes."))
		return s.b.String()
	}
	s.line("%s %s written.", paint(s.color, green, "Apply complete."), count(written, "patch"))
	return s.b.String()
}

func (s *summary) line(format string, args ...any) { fmt.Fprintf(&s.b, format+"\n", args...) }

func (s *summary) images() {
	if len(s.result.Images) == 0 {
		return
	}
	s.line("Images made:")
	for _, i := range s.result.Images {
		steps := ""
		if i.Steps > 0 {
			steps = fmt.Sprintf("; %s, %d of them cached", count(i.Steps, "step"), i.Cached)
		}
		s.line("  %s: %s%s", i.Address, count(i.Layers, "layer"), steps)
	}
	s.line("")
}

func (s *summary) site(r executor.SiteResult) {
	if r.File == "" {
		s.line("site %q: unchanged, no patch\n", r.Site)
		return
	}
	s.line("site %q: %s", r.Site, byteSize(r.Size))
	s.line("  %s", s.relative(r.File))
	if n := len(r.Volumes); n > 1 {
		s.line("  %s, to %s", count(n, "volume"), s.relative(r.Volumes[n-1]))
	}
	if len(r.NewLayers) > 0 {
		s.line("  %s, %s:", count(len(r.NewLayers), "new layer"), byteSize(total(r.NewLayers)))
		for _, l := range r.NewLayers {
			s.line("    %9s  %s: %s%s", byteSize(carried(l)), l.Image, report.Step(l.CreatedBy), insteadOf(l))
		}
	} else {
		s.line("  no new layer")
	}
	if n := len(r.ReusedLayers); n > 0 {
		s.line("  %s that the parent has, %s", count(n, "layer"), byteSize(total(r.ReusedLayers)))
	}
	s.line("")
}

func (s *summary) relative(file string) string {
	if rel, err := filepath.Rel(s.dir, file); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return file
}

func total(layers []executor.LayerResult) int64 {
	var n int64
	for _, l := range layers {
		n += carried(l)
	}
	return n
}

// carried is what a layer takes in the patch.
func carried(l executor.LayerResult) int64 {
	if l.Delta > 0 {
		return l.Delta
	}
	return l.Size
}

// insteadOf tells of a layer that travels as a delta.
func insteadOf(l executor.LayerResult) string {
	if l.Delta == 0 {
		return ""
	}
	return fmt.Sprintf(" (delta, instead of %s)", byteSize(l.Size))
}
