package lang

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/zclconf/go-cty/cty"
)

// configLabel tells Compose that a container's config files have changed, so
// that it is made anew: it does not look into mounted files.
const configLabel = "flotobuild.config"

var restartPolicy = regexp.MustCompile(`^(no|always|unless-stopped|on-failure(:\d{1,6})?)$`)

// service compiles a container to a Compose service.
func (r *rootFrame) service(b *block, c *ManifestContainer) map[string]any {
	s := map[string]any{"image": c.ImageID}
	for _, name := range []string{"command", "entrypoint"} {
		if v := r.words(b, name); v != nil {
			s[name] = v
		}
	}
	if env := r.environment(b); len(env) > 0 {
		s["environment"] = anyMap(env)
	}
	if ports := r.ports(b); len(ports) > 0 {
		s["ports"] = ports
	}
	volumes := r.volumes(b, c)
	if v, ok := r.text(b, "restart"); ok {
		s["restart"] = v
		if !restartPolicy.MatchString(v) {
			r.report(at(failure(b.attrs["restart"].Expr.Range(), "Invalid restart policy", "%q is no restart policy. Write no, always, unless-stopped, on-failure or on-failure:TRIES.", v), b.attrs["restart"].Expr, r.ctx))
		}
	}
	if r.flag(b, "privileged") {
		s["privileged"] = true
	}
	if h := b.only("healthcheck"); slices.Contains(b.blocks, h) {
		s["healthcheck"] = r.healthcheck(r.sound(h))
	}
	volumes = append(volumes, r.configFiles(b, c, s)...)
	if len(volumes) > 0 {
		s["volumes"] = volumes
	}
	return s
}

func anyMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// words evaluates a command: a string that Compose splits as a shell does, or a
// list.
func (r *rootFrame) words(b *block, name string) any {
	a := b.attrs[name]
	if a == nil {
		return nil
	}
	type words struct{ any }
	out, _ := remembered(r, b, name, func() (words, bool) {
		v, diags := a.Expr.Value(r.ctx)
		if !diags.HasErrors() && v.Type() == cty.String {
			if text, ok := r.frame.text(b, name); ok {
				return words{text}, true
			}
			return words{}, false
		}
		if list, ok := r.frame.texts(b, name); ok {
			return words{list}, true
		}
		return words{}, false
	})
	return out.any
}

// environment evaluates env. Engines take NAME=VALUE apart at the first equals
// sign, and would set another variable than the one that is meant.
func (r *rootFrame) environment(b *block) map[string]string {
	env := r.textMap(b, "env")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		detail := ""
		switch {
		case name == "" || strings.ContainsAny(name, "=\x00"):
			detail = "%q is no name of an environment variable: it must not be empty, and must hold neither an equals sign nor a NUL."
		case strings.Contains(env[name], "\x00"):
			detail = "The value of the environment variable %q holds a NUL, which processes cannot be given."
		default:
			continue
		}
		r.report(failure(elementRange(b.attrs["env"].Expr, name), "Invalid environment variable", detail, name))
	}
	return env
}

// ports evaluates publications in Compose's short form.
func (r *rootFrame) ports(b *block) []string {
	list, _ := remembered(r, b, "ports", func() ([]string, bool) { return r.checkedPorts(b), true })
	return slices.Clone(list)
}

func (r *rootFrame) checkedPorts(b *block) []string {
	list, _ := r.frame.texts(b, "ports")
	for i, p := range list {
		if _, err := types.ParsePortConfig(p); err != nil {
			r.report(failure(itemRange(b.attrs["ports"].Expr, i), "Invalid port",
				"%q is no port as Compose writes it: [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL], such as 8080:80 or 127.0.0.1:53:53/udp. (%s)", p, err))
		}
	}
	return list
}

// volumes evaluates mounts in Compose's short form. Named volumes are declared
// for the host.
func (r *rootFrame) volumes(b *block, c *ManifestContainer) []string {
	list, _ := r.texts(b, "volumes")
	out := make([]string, 0, len(list))
	for i, text := range list {
		rng := itemRange(b.attrs["volumes"].Expr, i)
		v, err := format.ParseVolume(text)
		switch {
		case err != nil || v.Target == "" || !path.IsAbs(v.Target) || hasControl(text):
			r.report(failure(rng, "Invalid volume",
				"%q is no mount as Compose writes it: NAME:TARGET, FOLDER:TARGET or TARGET, with an absolute TARGET and :ro behind it for reading only.", text))
			continue
		case v.Type == types.VolumeTypeBind:
			text = r.bind(text, v.Source, rng)
		case v.Source == "":
		case !validName.MatchString(v.Source):
			r.report(failure(rng, "Invalid volume", "%q is no name for a volume. A folder of the project begins with ./, one of the host with a slash.", v.Source))
			continue
		case r.hosts[c.Host] != nil:
			r.hosts[c.Host].volumes[v.Source] = map[string]any{}
		}
		out = append(out, text)
	}
	return out
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

func (r *rootFrame) healthcheck(b *block) map[string]any {
	h := make(map[string]any)
	if v := r.words(b, "test"); v != nil {
		h["test"] = v
	}
	for _, name := range []string{"interval", "timeout", "start_period"} {
		v, ok := r.text(b, name)
		if !ok {
			continue
		}
		if d, err := time.ParseDuration(v); err != nil || d < 0 {
			r.report(failure(b.attrs[name].Expr.Range(), "Invalid duration", "%q is no duration. Write a number with a unit, such as 30s or 1m30s.", v))
		}
		h[name] = v
	}
	if v, ok := r.value(b, "retries", cty.Number); ok {
		n, accuracy := v.AsBigFloat().Int64()
		if accuracy != 0 || n < 0 {
			r.report(failure(b.attrs["retries"].Expr.Range(), "Wrong type", "The attribute \"retries\" needs a whole number."))
		}
		h["retries"] = n
	}
	if r.flag(b, "disable") {
		h["disable"] = true
	}
	return h
}
