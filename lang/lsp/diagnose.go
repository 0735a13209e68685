package lsp

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/lang"
)

// maxDiagnostics bounds what is shown of one file.
const maxDiagnostics = 1000

// changed makes an evaluation due.
func (s *server) changed() {
	select {
	case s.dirty <- struct{}{}:
	default: // it is due already
	}
}

// evaluations evaluates the project whenever that is due. Changes during the
// delay, and during an evaluation, give one evaluation together.
func (s *server) evaluations(ctx context.Context) {
	published := make(map[string]bool)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.dirty:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.opts.Delay):
		}
		select {
		case <-s.dirty:
		default:
		}
		s.evaluate(ctx, published)
	}
}

// evaluate loads the project as it stands and publishes what is wrong with it.
// published holds the URIs of files with diagnostics that the editor shows.
func (s *server) evaluate(ctx context.Context, published map[string]bool) {
	defer func() {
		if p := recover(); p != nil {
			s.log(ctx, fmt.Sprintf("The evaluation failed: %v\n%s", p, debug.Stack()))
		}
	}()
	s.mu.Lock()
	p := s.project
	s.mu.Unlock()
	if p.files == nil {
		return
	}
	docs := s.docs.all()
	a := lang.Analyze(&overlay{p.files, s.docs.texts()}, p.opts)
	s.mu.Lock()
	s.analysis = a
	s.mu.Unlock()
	now := make(map[string]*publishParams)
	for _, d := range docs {
		if d.name != "" {
			now[d.uri] = &publishParams{URI: d.uri, Version: &d.version, Diagnostics: []diagnostic{}}
		}
	}
	s.collect(a, docs, now)
	for uri := range published {
		if now[uri] == nil {
			now[uri] = &publishParams{URI: uri, Diagnostics: []diagnostic{}}
		}
	}
	for uri, params := range now {
		if err := s.rpc.Notify(ctx, "textDocument/publishDiagnostics", params); err != nil {
			return // the session is over
		}
		published[uri] = true
		if len(params.Diagnostics) == 0 {
			delete(published, uri)
		}
	}
}

// collect sorts the diagnostics by file. Those that concern no file, such as a
// folder without configuration, stand at the beginning of an open document.
func (s *server) collect(a *lang.Analysis, docs []document, now map[string]*publishParams) {
	lines := make(map[string]*lineIndex)
	for _, d := range a.Diagnostics {
		rng := hcl.Range{Filename: "."}
		if d.Subject != nil {
			rng = *d.Subject
		}
		out := newDiagnostic(d)
		uri := ""
		if f := a.Config.Files[rng.Filename]; f != nil {
			if lines[rng.Filename] == nil {
				lines[rng.Filename] = newLineIndex(f.Bytes, s.encoding())
			}
			uri, out.Range = s.uriOf(rng.Filename), lines[rng.Filename].textRange(rng)
		} else if i := slices.IndexFunc(docs, func(d document) bool { return d.name != "" }); i >= 0 {
			uri = docs[i].uri
		} else {
			continue
		}
		if now[uri] == nil {
			now[uri] = &publishParams{URI: uri, Diagnostics: []diagnostic{}}
		}
		if len(now[uri].Diagnostics) < maxDiagnostics {
			now[uri].Diagnostics = append(now[uri].Diagnostics, out)
		}
	}
}

func newDiagnostic(d *hcl.Diagnostic) diagnostic {
	out := diagnostic{Severity: errorSeverity, Source: "flotobuild", Message: d.Summary}
	if d.Severity == hcl.DiagWarning {
		out.Severity = warningSeverity
	}
	if d.Detail != "" {
		out.Message += ": " + d.Detail
	}
	return out
}
