package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/opencontainers/go-digest"
	"gopkg.in/yaml.v3"
)

// A desired host is what should run on a host, ready for Compose.
type desired struct {
	project  string
	compose  []byte // nil where nothing runs
	services map[string]*service
	mounts   map[digest.Digest]*mount
}

// ends says that some service of the host waits for another to end.
func (d *desired) ends(name string) bool {
	for _, s := range d.services {
		if slices.Contains(s.finished, name) {
			return true
		}
	}
	return false
}

// A renderer turns the Compose file of a release into that of an engine.
type renderer struct {
	site    string
	host    string
	release *Release
	// images gives the engine's id of an image by its name.
	images map[string]digest.Digest
	// mounts is the folder of the engine's machine that mounts are in.
	mounts string

	dir string // of the Compose file in the patch
	out *desired
}

// render makes the Compose file: images are named as the engine knows them,
// paths into the patch lead to mounts, and containers get their labels.
func (r *renderer) render() (*desired, error) {
	r.out = &desired{project: r.release.Manifest.Project, services: make(map[string]*service), mounts: make(map[digest.Digest]*mount)}
	h := r.release.host(r.host)
	if h == nil || h.Compose == "" {
		return r.out, nil
	}
	r.dir = path.Dir(h.Compose)
	if err := r.file(h.Compose); err != nil {
		return nil, fmt.Errorf("cannot use %q of patch %q: %w", h.Compose, r.release.ID, err)
	}
	return r.out, nil
}

func (r *renderer) file(name string) error {
	data, err := fs.ReadFile(r.release.Files, name)
	if err != nil {
		return err
	}
	var file map[string]any
	if err := yaml.Unmarshal(data, &file); err != nil {
		return err
	}
	for _, kind := range []string{"configs", "secrets"} {
		if err := r.resources(file[kind]); err != nil {
			return err
		}
	}
	services, _ := file["services"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(services)) {
		body, ok := services[name].(map[string]any)
		if !ok {
			return fmt.Errorf("service %q is no mapping", name)
		}
		if err := r.service(name, body, file); err != nil {
			return fmt.Errorf("service %q: %w", name, err)
		}
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(file); err != nil {
		return err
	}
	r.out.compose = b.Bytes()
	return e.Close()
}

// service renders one service in place.
func (r *renderer) service(name string, body, file map[string]any) error {
	s := newService(name, body)
	found := false
	for _, c := range r.release.Manifest.Containers {
		if c.Name == name && c.Host == r.host {
			s.needs, found = c.DependsOn, true
			s.image = r.images[c.Image]
		}
	}
	if !found {
		return errors.New("the manifest does not list it")
	}
	body["image"] = s.image.String()
	if err := r.volumes(body); err != nil {
		return err
	}
	label(body, map[string]string{labelSite: r.site, labelHost: r.host})
	var err error
	if s.sum, err = sum(body, file); err != nil {
		return err
	}
	label(body, map[string]string{labelService: s.sum})
	if !gated(body) {
		r.out.services[name] = s
	}
	return nil
}

// volumes leads relative paths to mounts.
func (r *renderer) volumes(body map[string]any) error {
	list, _ := body["volumes"].([]any)
	for i, v := range list {
		switch v := v.(type) {
		case string:
			c, err := format.ParseVolume(unescape(v))
			if err != nil {
				return fmt.Errorf("volume %q: %w", v, err)
			}
			if c.Type != types.VolumeTypeBind || !relative(c.Source) {
				continue
			}
			m, err := r.mount(c.Source)
			if err != nil {
				return err
			}
			list[i] = bind(&c, m)
		case map[string]any:
			if source, ok := v["source"].(string); ok && v["type"] == types.VolumeTypeBind && relative(source) {
				m, err := r.mount(unescape(source))
				if err != nil {
					return err
				}
				v["source"] = escape(m)
			}
		}
	}
	return nil
}

// bind writes a mount in the long form, whose paths may hold colons.
func bind(c *types.ServiceVolumeConfig, source string) map[string]any {
	out := map[string]any{"type": types.VolumeTypeBind, "source": escape(source), "target": escape(c.Target)}
	if c.ReadOnly {
		out["read_only"] = true
	}
	if c.Bind != nil {
		more := make(map[string]any)
		if c.Bind.Propagation != "" {
			more["propagation"] = c.Bind.Propagation
		}
		if c.Bind.SELinux != "" {
			more["selinux"] = c.Bind.SELinux
		}
		if len(more) > 0 {
			out["bind"] = more
		}
	}
	return out
}

// resources leads the files of configs or secrets to mounts.
func (r *renderer) resources(all any) error {
	m, _ := all.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		one, _ := m[name].(map[string]any)
		file, ok := one["file"].(string)
		if !ok || !relative(file) {
			continue
		}
		to, err := r.mount(unescape(file))
		if err != nil {
			return err
		}
		one["file"] = escape(to)
	}
	return nil
}

// relative tells paths of the patch from those of the host.
func relative(source string) bool { return source != "" && source[0] != '/' && source[0] != '~' }

// mount gives the path at which the engine sees what the patch has at source.
func (r *renderer) mount(source string) (string, error) {
	m, err := newMount(r.release, path.Join(r.dir, source))
	if err != nil {
		return "", err
	}
	r.out.mounts[m.digest] = m
	return path.Join(r.mounts, m.digest.Encoded(), m.name), nil
}
