package lang

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// localHost is the host that runs the services of a Compose file.
const localHost = "local"

// composeFile compiles a Compose file: its variables are replaced by the
// site's, its images by pinned ids.
func (r *rootFrame) composeFile(f *composeFile) {
	for _, s := range f.services {
		if !strings.Contains(s.image, "$") {
			r.checkImage(r.imageOf(s.image), s.imageRng)
		}
	}
	if f.broken {
		return
	}
	model, d := f.model()
	if d != nil {
		r.report(d)
		return
	}
	r.checkComposeForm(f, model)
	r.composeLocal = r.composeSite(f, model)
	r.checkComposeNames(f, model)
	vars := r.composeVars()
	r.checkComposeVars(f, model, vars)
	if r.hasErrors() {
		return
	}
	model = r.substituted(f, model, vars)
	if r.hasErrors() {
		return
	}
	for _, problem := range f.check(model) {
		r.report(failure(f.placeOf(problem), "Invalid Compose file", "The Compose file is not valid: %s.%s", strings.TrimSuffix(problem, "."), r.composeHint()))
	}
	if r.hasErrors() {
		return
	}
	r.composeServices(f, model)
}

// composeServices turns the services into those of the one host.
func (r *rootFrame) composeServices(f *composeFile, model map[string]any) {
	h := &hostFile{rest: model}
	h.services, _ = model["services"].(map[string]any)
	delete(model, "version")
	if name, ok := model["name"].(string); ok {
		r.out.Project = projectName(name)
	}
	delete(model, "name")
	r.hosts[localHost] = h
	r.out.Hosts = append(r.out.Hosts, ManifestHost{Name: localHost})
	for _, s := range f.services {
		service, ok := h.services[s.name].(map[string]any)
		if !ok {
			continue
		}
		c := ManifestContainer{Name: s.name, Host: localHost, DependsOn: dependsOn(service["depends_on"])}
		if name := r.imageOf(r.composeImage(service, s)); r.checkImage(name, s.imageRng) {
			c.Image, c.ImageID = name, r.id(name)
		}
		service["image"] = c.ImageID
		delete(service, "build")
		delete(service, "pull_policy")
		r.composePaths(f.reader, s, service)
		r.out.Containers = append(r.out.Containers, c)
	}
	r.composeResources(f, model)
}

// composeImage gives the image of a service after substitution.
func (r *rootFrame) composeImage(service map[string]any, s composeService) string {
	if image, ok := service["image"].(string); ok {
		return image
	}
	text, _ := substitute(s.image, r.composeVars())
	return text
}

// imageOf finds the image that a Compose file means: by its name, or where a
// reference stands by the last part of its repository.
func (r *rootFrame) imageOf(ref string) string {
	if r.images[ref] != nil {
		return ref
	}
	name, _, _ := strings.Cut(ref, "@")
	name, _, _ = strings.Cut(path.Base(name), ":")
	if r.images[name] != nil {
		return name
	}
	return ref
}

// dependsOn reads both forms of depends_on.
func dependsOn(v any) []string {
	var out []string
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
	case map[string]any:
		for name := range v {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// composeVars are the site's variables as Compose sees them: those that are
// strings, numbers or booleans, and those that only the site knows.
func (r *rootFrame) composeVars() map[string]string {
	out := make(map[string]string)
	for name, v := range r.site.Vars {
		if v.IsWhollyKnown() && !v.IsNull() && v.Type().IsPrimitiveType() && v.Type() != cty.DynamicPseudoType {
			out[name] = primitiveText(v)
		}
	}
	maps.Copy(out, r.composeLocal)
	return out
}

// bareVariable finds variables without a default, and escaped dollars, which
// are none.
var bareVariable = regexp.MustCompile(`\$\$|\$([A-Za-z_][A-Za-z0-9_]*)|\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// checkComposeVars reports variables that the site does not have: Compose would
// take them for empty.
func (r *rootFrame) checkComposeVars(f *composeFile, model map[string]any, vars map[string]string) {
	seen := make(map[string]bool)
	eachText(model, func(s string) {
		for _, m := range bareVariable.FindAllStringSubmatch(s, -1) {
			name := m[1] + m[2]
			if _, ok := vars[name]; ok || name == "" || seen[name] {
				continue
			}
			seen[name] = true
			r.report(failure(f.reader.find(m[0]), "Unknown variable",
				"The Compose file uses %s, and the site %q has no variable %q that is a string, number or boolean. Add it to the attribute vars of the site, or write ${%s:-DEFAULT}; a dollar that stands for itself is $$.", m[0], r.site.Name, name, name))
		}
	})
}
