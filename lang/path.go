package lang

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/text/unicode/norm"
)

// path evaluates an attribute to a path, relative to the module's folder.
func (f *frame) path(b *block, name string, outside bool) (*Path, bool) {
	v, ok := f.text(b, name)
	if !ok {
		return nil, false
	}
	p, d := f.located(v, outside, b.attrs[name].Expr.Range())
	if d != nil {
		f.report(d)
		return nil, false
	}
	return p, true
}

// located makes a Path, and looks where it leads in the project: links must not
// leave it either. Whether there is something is for those to say who read it.
func (f *frame) located(name string, outside bool, rng hcl.Range) (*Path, *hcl.Diagnostic) {
	p, d := newPath(name, f.scope.folder.dir, outside, rng)
	if d != nil || leavesProject(p.Name) {
		return p, d
	}
	fsys := f.scope.project.fsys
	_, err := fs.Stat(fsys, p.Name)
	switch {
	case err == nil:
		return p, nil
	case escapes(err) && !outside:
		return nil, failure(rng, "Path outside of the project",
			"The path %q leads out of the project folder by a symbolic link, or by an absolute one, so that other machines do not have it. Put the files into the project, or write allow_outside = true beside it.", name)
	case errors.Is(err, fs.ErrNotExist):
		return p, otherForm(fsys, p)
	}
	return p, nil
}

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

// escapes reports whether an os.Root has refused a link.
func escapes(err error) bool {
	return strings.HasSuffix(err.Error(), "path escapes from parent")
}

// otherForm finds a file whose name looks like the path's and has other bytes.
// Strings of the language are in Unicode's form NFC, file names need not be.
func otherForm(fsys fs.FS, p *Path) *hcl.Diagnostic {
	if !strings.ContainsFunc(p.Name, func(c rune) bool { return c >= utf8.RuneSelf }) {
		return nil
	}
	dir := "."
	for _, part := range strings.Split(p.Name, "/") {
		entries, err := fs.ReadDir(fsys, dir)
		if err != nil {
			return nil
		}
		for _, e := range entries {
			if e.Name() != part && norm.NFC.String(e.Name()) == norm.NFC.String(part) {
				return failure(p.Range, "Name in another Unicode form",
					"The folder %q holds %+q, which looks like %q and has other characters: the names of files that the configuration names must be in Unicode's form NFC. Rename it.", dir, e.Name(), part)
			}
		}
		dir = path.Join(dir, part)
	}
	return nil
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
