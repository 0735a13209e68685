package lang

import (
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// confFromHost leads from the folder of a host's Compose file to the files of
// the project that travel in the patch.
const confFromHost = "../../conf"

// bind rewrites a mount whose source is a relative path: at the site the
// project's files lie in conf/.
func (r *rootFrame) bind(text, source string, rng hcl.Range) string {
	moved, ok := r.projectFile(source, rng)
	if !ok {
		return text
	}
	return moved + strings.TrimPrefix(text, source)
}

// projectFile turns a path relative to the root definition file into one
// relative to a host's Compose file, and notes that the file must travel.
func (r *rootFrame) projectFile(source string, rng hcl.Range) (string, bool) {
	if strings.HasPrefix(source, "~") {
		r.report(failure(rng, "Invalid path", "The path %q begins with ~, the home folder of whoever starts the containers. Write an absolute path.", source))
		return "", false
	}
	if path.IsAbs(source) {
		return source, true
	}
	p, ok := r.pathOf(source, rng)
	if !ok {
		return "", false
	}
	r.needs = append(r.needs, *p)
	return path.Join(confFromHost, p.Name), true
}

// pathOf makes a path of what the root definition file names. It never leaves
// the project.
func (r *rootFrame) pathOf(name string, rng hcl.Range) (*Path, bool) {
	p, d := newPath(name, path.Dir(r.root.file.name), true, rng)
	if d == nil && leavesProject(p.Name) {
		d = failure(rng, "Path outside of the project", "The path %q leads out of the project folder, and only the project's files travel in the patch. Move the file there.", name)
	}
	if d == nil && !exists(r.scope.project.fsys, p.Name) {
		d = otherForm(r.scope.project.fsys, p)
	}
	if d != nil {
		r.report(d)
		return nil, false
	}
	return p, true
}
