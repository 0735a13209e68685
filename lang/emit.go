package lang

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"gopkg.in/yaml.v3"
)

const composeNote = "# Compiled by flotobuild. Change the root definition instead.\n"

// manifest completes the manifest with its own file and the Compose files.
func (r *rootFrame) manifest() *Manifest {
	for i := range r.out.Hosts {
		h := &r.out.Hosts[i]
		f := r.hosts[h.Name]
		if f == nil || len(f.services) == 0 {
			continue
		}
		h.Compose = manifestDir + h.Name + "/" + composeName
		r.emit(h.Compose, func() ([]byte, error) { return f.encode() })
	}
	r.emit(ManifestEntry, r.out.encode)
	if len(r.siteVars) > 0 {
		r.emit(SiteEntry, r.recipe().encode)
	}
	return r.out
}

func (r *rootFrame) emit(name string, encode func() ([]byte, error)) {
	b, err := encode()
	at := hcl.Range{Filename: r.root.file.name, Start: hcl.InitialPos, End: hcl.InitialPos}
	if err != nil {
		r.report(failure(at, "Cannot write the manifest", "The file %q cannot be written: %s.", name, err))
		return
	}
	r.addFile(name, string(b), at)
}

// encode writes a Compose file: keys sorted, no variables left.
func (f *hostFile) encode() ([]byte, error) {
	doc := maps.Clone(f.rest)
	if doc == nil {
		doc = make(map[string]any)
	}
	doc["services"] = f.services
	if len(f.volumes) > 0 {
		doc["volumes"] = f.volumes
	}
	var b bytes.Buffer
	b.WriteString(composeNote)
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(escaped(doc)); err != nil {
		return nil, fmt.Errorf("cannot encode Compose file: %w", err)
	}
	return b.Bytes(), e.Close()
}

// projectName makes a name that Compose accepts for a project: lower-case
// letters, digits, - and _, the first of them a letter or digit.
func projectName(name string) string {
	out := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			return c
		}
		return '-'
	}, strings.ToLower(name))
	if out = strings.TrimLeft(out, "-_"); out == "" {
		return "project"
	}
	return out
}

// cutAny splits NAME=VALUE of Compose's environment list.
func cutAny(v any) (name, value string, assigned bool) {
	return strings.Cut(fmt.Sprint(v), "=")
}

// compiledSite compiles a site while the configuration is loaded.
func (f *frame) compiledSite(s *Site, root *rootDecl) {
	c := &frame{scope: f.scope}
	m := f.scope.project.meter
	m.grant()
	r := c.compile(s, root, nil)
	f.report(c.diags...)
	if d := m.trippedBy(); d != nil {
		f.report(d)
	}
	s.Containers = r.containers()
	s.Needs = slices.Compact(r.needs)
}
