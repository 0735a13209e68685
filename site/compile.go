package site

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
)

// A VarsError says that a patch cannot be compiled with the values that the site
// has. It holds no secret.
type VarsError struct {
	Patch    string // id
	Missing  []lang.ManifestVariable
	Problems hcl.Diagnostics // besides Missing
}

// Error lists what is missing, and what is wrong.
func (e *VarsError) Error() string {
	var b strings.Builder
	switch len(e.Missing) {
	case 0:
		b.WriteString("it cannot be compiled with the site's values:")
	case 1:
		b.WriteString("the site has no value of a variable that it needs:")
	default:
		fmt.Fprintf(&b, "the site has no values of %d variables that it needs:", len(e.Missing))
	}
	for _, v := range e.Missing {
		fmt.Fprintf(&b, "\n  %s (%s)", v.Name, strings.Join(strings.Fields(v.Type), " "))
		if v.Description != "" {
			fmt.Fprintf(&b, ": %s", v.Description)
		}
	}
	for _, d := range e.Problems {
		b.WriteString("\n  ")
		if d.Subject != nil {
			fmt.Fprintf(&b, "%s:%d: ", d.Subject.Filename, d.Subject.Start.Line)
		}
		fmt.Fprintf(&b, "%s: %s", d.Summary, strings.ReplaceAll(strings.TrimSpace(d.Detail), "\n", "\n    "))
	}
	return b.String()
}

// compile compiles a patch with the site's values. It gives nil for one without
// variables of the site. The error for values that are missing or do not fit is a
// *VarsError.
func (s *Site) compile(p *Patch) (*compilation, error) {
	if p.Manifest == nil || len(p.Manifest.SiteVariables) == 0 {
		return nil, nil
	}
	all, err := s.readVars()
	if err != nil {
		return nil, err
	}
	recipe, err := readFile(filepath.Join(p.dir, filepath.FromSlash(lang.SiteEntry)), maxManifest)
	if err != nil {
		return nil, fmt.Errorf("its manifest has variables of the site, and it cannot be compiled: %w", err)
	}
	root, err := os.OpenRoot(filepath.Join(p.dir, patch.ConfDir))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	conf := newCheckedConf(root, p.Header.Description.Flotobuild.Contents)
	values := valuesFor(p.Manifest, all)
	m, diags := lang.CompileAtSite(conf, s.siteInput(p, recipe, values))
	if m == nil {
		return nil, newVarsError(p, values, diags)
	}
	if err := sameContainers(p.Manifest, m.Manifest); err != nil {
		return nil, err
	}
	for _, n := range m.Needs() {
		if _, err := root.Stat(n.Name); err != nil {
			return nil, fmt.Errorf("a container would find nothing at %q: %w", n.Name, err)
		}
	}
	return &compilation{manifest: m.Manifest, values: values, secrets: m.Secrets}, nil
}

// siteInput gives what the patch was compiled with.
func (s *Site) siteInput(p *Patch, recipe []byte, values map[string]string) lang.SiteInput {
	d := p.Header.Description
	id, parent := d.Rendered()
	in := lang.SiteInput{Site: s.Name(), Recipe: recipe, Values: values}
	in.Patch = lang.PatchInfo{ID: id, Version: d.Flotobuild.Version, Revision: d.Revision, Parent: parent}
	in.Images = make(map[string]string, len(d.ImageMap))
	for name, image := range d.ImageMap {
		in.Images[name] = image.String()
	}
	return in
}

func newVarsError(p *Patch, values map[string]string, diags hcl.Diagnostics) *VarsError {
	e := &VarsError{Patch: p.ID}
	for _, v := range p.Manifest.SiteVariables {
		if _, ok := values[v.Name]; !ok && v.Required {
			e.Missing = append(e.Missing, v)
		}
	}
	for _, d := range diags {
		if d.Severity == hcl.DiagError && (d.Summary != lang.NoValue || len(e.Missing) == 0) {
			e.Problems = append(e.Problems, d)
		}
	}
	return e
}

// sameContainers holds that the site's values have no say in what runs where.
func sameContainers(patched, compiled *lang.Manifest) error {
	what := func(m *lang.Manifest) string {
		var b strings.Builder
		for _, h := range m.Hosts {
			fmt.Fprintf(&b, "host %q\n", h.Name)
		}
		for _, c := range m.Containers {
			fmt.Fprintf(&b, "container %q on %q: %q %q\n", c.Name, c.Host, c.Image, c.ImageID)
		}
		return b.String() + m.Project
	}
	if what(patched) != what(compiled) {
		return fmt.Errorf("compiled with the site's values, it has other hosts or containers than its manifest says: it was made by another flotobuild, or the store is damaged")
	}
	return nil
}

// A checkedConf is conf/ of a patch, whose files are compared with the
// description while they are read.
type checkedConf struct {
	root  fs.FS
	files map[string]patch.Content // by name in conf/
}

func newCheckedConf(root *os.Root, contents []patch.Content) checkedConf {
	c := checkedConf{root.FS(), make(map[string]patch.Content)}
	for _, e := range contents {
		if name, ok := strings.CutPrefix(e.Path, patch.ConfDir); ok && e.Mode.FileMode().IsRegular() {
			c.files[name] = e
		}
	}
	return c
}

// Open implements fs.FS.
func (c checkedConf) Open(name string) (fs.File, error) {
	f, err := c.root.Open(name)
	if err != nil {
		return nil, err
	}
	e, ok := c.files[path.Clean(name)]
	if !ok {
		return f, nil // a folder, or reached by a link
	}
	return checkedFile{f, verify.NewReader(f, e.Path, e.Size, digest.NewDigestFromEncoded(digest.SHA256, e.SHA256))}, nil
}

type checkedFile struct {
	fs.File
	r io.Reader
}

// Read implements fs.File.
func (f checkedFile) Read(p []byte) (int, error) { return f.r.Read(p) }
