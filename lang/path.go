package lang

import (
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// path evaluates an attribute to a path, relative to the module's folder.
func (f *frame) path(b *block, name string, outside bool) (*Path, bool) {
	v, ok := f.text(b, name)
	if !ok {
		return nil, false
	}
	p, d := newPath(v, f.scope.folder.dir, outside, b.attrs[name].Expr.Range())
	if d != nil {
		f.report(d)
		return nil, false
	}
	return p, true
}

// newPath makes a Path of what a file in the folder dir names.
func newPath(name, dir string, outside bool, rng hcl.Range) (*Path, *hcl.Diagnostic) {
	if d := checkPathText(name, rng); d != nil {
		return nil, d
	}
	clean := path.Clean(name)
	if !path.IsAbs(clean) {
		clean = path.Join(dir, clean)
	}
	if !outside && leavesProject(clean) {
		return nil, failure(rng, "Path outside of the project",
			"The path %q leads out of the project folder, so that other machines do not have it. Move the file into the project, or write allow_outside = true beside it.", name)
	}
	return &Path{Name: clean, Range: rng}, nil
}

func checkPathText(name string, rng hcl.Range) *hcl.Diagnostic {
	switch {
	case name == "":
		return failure(rng, "Invalid path", "The path is empty. For the folder of this file write a dot.")
	case strings.ContainsAny(name, "\x00\n\r"):
		return failure(rng, "Invalid path", "The path %q holds a line break or a NUL.", name)
	case strings.Contains(name, `\`):
		return failure(rng, "Invalid path", "The path %q holds a backslash. Separate folders with a slash.", name)
	}
	return nil
}

// leavesProject reports whether a clean path lies outside of the project.
func leavesProject(clean string) bool {
	return path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../")
}

// allowOutside reports whether the block lets its paths leave the project. It is
// generous where the attribute itself is in error.
func (f *frame) allowOutside(b *block) bool {
	if b.attrs["allow_outside"] == nil {
		return false
	}
	before := len(f.diags)
	v := f.flag(b, "allow_outside")
	return v || len(f.diags) > before
}
