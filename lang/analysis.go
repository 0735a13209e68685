package lang

import (
	"io/fs"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// An Analysis is a configuration that was loaded to be looked at: what an editor
// shows of it. Its methods may be called concurrently.
type Analysis struct {
	Config      *Config
	Diagnostics hcl.Diagnostics

	results *results
}

// Analyze loads a configuration as Load does, and keeps the values.
func Analyze(fsys fs.FS, opts Options) *Analysis {
	p := newProject(fsys, opts)
	s := p.evaluate()
	cfg := s.config()
	p.checkSites(cfg)
	p.checkEnvelopes(cfg)
	return &Analysis{Config: cfg, Diagnostics: p.finish(s.results), results: s.results}
}

// Limits on values that are shown.
const (
	maxShownElements = 200
	maxShownText     = 2000
)

// Value describes what an address stands for in the files of a folder: its type,
// and its value in the syntax of the language, or in words where it is large.
// Sensitive values are masked. Of a module's instances the first is taken. It is
// false for what is not known.
func (a *Analysis) Value(dir, address string) (typ, value string, ok bool) {
	for _, s := range a.results.scopes {
		n := s.nodes[address]
		if s.folder.dir != dir || n == nil || n.state != done {
			continue
		}
		return describeValue(n.value)
	}
	return "", "", false
}

func describeValue(v cty.Value) (typ, value string, ok bool) {
	if isSensitive(v) {
		return "", withheld, true
	}
	if !v.IsWhollyKnown() {
		return "", "", false
	}
	t := v.Type()
	typ = t.FriendlyName()
	if !t.HasDynamicTypes() && !isLarge(v) {
		typ = typeText(t)
		value = valueSource(v)
	}
	if value == "" || len(value) > maxShownText || len(typ) > maxShownText {
		return t.FriendlyName(), valueText(v), true
	}
	return typ, value, true
}

// isLarge tells of values that nobody would read.
func isLarge(v cty.Value) bool {
	n := 0
	err := cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) {
		n++
		if e.Type() == cty.String && !e.IsNull() && len(e.AsString()) > maxShownText || n > maxShownElements {
			return false, errTooMuch
		}
		return true, nil
	})
	return err != nil
}
