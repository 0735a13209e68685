package lang

import (
	"maps"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/hashicorp/hcl/v2"
)

// checkComposeForm refuses what reads other files: a root definition is one
// file.
func (r *rootFrame) checkComposeForm(f *composeFile, model map[string]any) {
	if _, ok := model["include"]; ok {
		r.report(failure(f.reader.find("include"), "Compose file in parts", "A root definition is one file, and include is not followed. Copy the included file into this one."))
	}
	services, _ := model["services"].(map[string]any)
	for _, s := range f.services {
		service, ok := services[s.name].(map[string]any)
		if !ok {
			continue
		}
		if e, ok := service["extends"].(map[string]any); ok && e["file"] != nil {
			r.report(failure(f.reader.at(s.rng, s.body, "extends", "file"), "Compose file in parts", "The service %q extends one of another file. A root definition is one file: copy the service into this one.", s.name))
		}
		if service["label_file"] != nil {
			r.report(failure(f.reader.at(s.rng, s.body, "label_file"), "Compose file in parts", "The service %q has a label_file. Write its labels into this file.", s.name))
		}
	}
}

// composePaths turns what a service names in the project's folder into what the
// site has: env files into environment, mounts into those of conf/.
func (r *rootFrame) composePaths(c *composeReader, s composeService, service map[string]any) {
	r.envFiles(c, s, service)
	mounts, _ := service["volumes"].([]any)
	for i, m := range mounts {
		rng := c.at(s.rng, s.body, "volumes", strconv.Itoa(i), "source")
		switch m := m.(type) {
		case string:
			if v, err := format.ParseVolume(m); err == nil && v.Type == types.VolumeTypeBind {
				mounts[i] = r.bind(m, v.Source, rng)
			}
		case map[string]any:
			if source, ok := m["source"].(string); ok && m["type"] == types.VolumeTypeBind {
				if moved, ok := r.projectFile(source, rng); ok {
					m["source"] = moved
				}
			}
		}
	}
}

// composeResources does the same for the files of configs and secrets.
func (r *rootFrame) composeResources(f *composeFile, model map[string]any) {
	for _, kind := range []string{"configs", "secrets"} {
		all, _ := model[kind].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			one, _ := all[name].(map[string]any)
			file, ok := one["file"].(string)
			if !ok {
				continue
			}
			if moved, ok := r.projectFile(file, f.reader.at(f.reader.find(name), f.doc, kind, name, "file")); ok {
				one["file"] = moved
			}
		}
	}
}

// envFiles reads the env_file of a service. What stands in environment wins.
func (r *rootFrame) envFiles(c *composeReader, s composeService, service map[string]any) {
	var files []any
	switch v := service["env_file"].(type) {
	case nil:
		return
	case []any:
		files = v
	default:
		files = []any{v}
	}
	env := make(map[string]any)
	for i, f := range files {
		rng := c.at(s.rng, s.body, "env_file", strconv.Itoa(i), "path")
		maps.Copy(env, r.envFile(f, rng))
	}
	switch own := service["environment"].(type) {
	case map[string]any:
		maps.Copy(env, own)
	case []any:
		for _, e := range own {
			name, value, assigned := cutAny(e)
			env[name] = nil
			if assigned {
				env[name] = value
			}
		}
	}
	delete(service, "env_file")
	service["environment"] = env
}

func (r *rootFrame) envFile(f any, rng hcl.Range) map[string]any {
	name, ok := f.(string)
	required := true
	if m, isMap := f.(map[string]any); isMap {
		name, ok = m["path"].(string)
		required = m["required"] != false
	}
	if !ok {
		return nil
	}
	p, ok := r.pathOf(name, rng)
	if !ok {
		return nil
	}
	src, err := readLimited(r.scope.project.fsys, p.Name, maxEnvFile)
	if err != nil {
		if required {
			r.report(fileError(p.Name, err, rng))
		}
		return nil
	}
	values, err := parseEnvFile(string(src), r.composeVars())
	if err != nil {
		r.report(failure(rng, "Invalid env file", "The file %q cannot be read: %s.", p.Name, err))
		return nil
	}
	return values
}
