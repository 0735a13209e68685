package lang

import (
	"cmp"
	"path"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// nativeFile compiles a root definition file of the native form.
func (r *rootFrame) nativeFile(file *rootFile) {
	file = r.expandedFile(file)
	for _, b := range file.hosts {
		b = r.sound(b)
		h := ManifestHost{Name: b.name()}
		h.Address, _ = r.oneLine(b, "address")
		h.Docker, _ = r.oneLine(b, "docker")
		r.out.Hosts = append(r.out.Hosts, h)
		r.hosts[h.Name] = &hostFile{services: make(map[string]any), volumes: make(map[string]any)}
	}
	depends := make(map[string]hcl.Range)
	r.out.Containers = make([]ManifestContainer, 0, len(file.containers))
	for _, b := range file.containers {
		r.container(b, depends)
	}
	r.checkDependencies(file, depends)
	for _, b := range file.documents {
		r.document(b)
	}
	if r.ids != nil {
		r.dependencies()
	}
}

// oneLine evaluates text that stands in a line of its own.
func (r *rootFrame) oneLine(b *block, name string) (string, bool) {
	v, ok := r.text(b, name)
	if ok && hasControl(v) {
		r.report(failure(b.attrs[name].Expr.Range(), "Invalid text", "The attribute %q must not hold line breaks or control characters.", name))
		return "", false
	}
	return v, ok
}

// container compiles a container block. depends collects where dependencies
// are named.
func (r *rootFrame) container(b *block, depends map[string]hcl.Range) {
	if a := b.attrs["depends_on"]; a != nil {
		depends[b.name()] = a.Expr.Range()
	}
	uses := r.root.uses
	if r.ids == nil {
		if c := uses.container(r, b); c != nil {
			r.out.Containers = append(r.out.Containers, c.result)
			r.needs = append(r.needs, c.needs...)
			return
		}
	}
	diags, needs := len(r.diags), len(r.needs)
	out := r.newContainer(r.sound(r.expanded(b)))
	r.out.Containers = append(r.out.Containers, out)
	if r.keeps(b) && len(r.diags) == diags {
		uses.keepContainer(r, b, out, r.needs[needs:])
	}
}

// keeps tells containers that another site can have in common with this one.
// Templates see more than the block refers to.
func (r *rootFrame) keeps(b *block) bool {
	isConfig := func(c *block) bool { return c.makes() == "config" }
	return r.ids == nil && !r.partial && !slices.ContainsFunc(b.blocks, isConfig) && r.scope.project.meter.tripped == nil
}

func (r *rootFrame) newContainer(b *block) ManifestContainer {
	c := ManifestContainer{Name: b.name()}
	image, known := r.text(b, "image")
	if known && r.checkImage(image, b.attrs["image"].Expr.Range()) {
		c.Image, c.ImageID = image, r.id(image)
	}
	if v, ok := r.text(b, "host"); ok && r.checkHost(v, b.attrs["host"].Expr.Range()) {
		c.Host = v
	}
	if list, ok := r.texts(b, "depends_on"); ok {
		c.DependsOn = slices.Compact(slices.Sorted(slices.Values(list)))
	}
	r.unknownName(b, "image")
	r.unknownName(b, "host")
	service := r.service(b, &c)
	if h := r.hosts[c.Host]; h != nil {
		h.services[c.Name] = service
	}
	return c
}

// unknownName refuses names that depend on what is known only after the build,
// or at the site.
func (r *rootFrame) unknownName(b *block, name string) {
	a := b.attrs[name]
	if a == nil || !r.root.uses.attr(a).build {
		return
	}
	if v, diags := a.Expr.Value(r.ctx); !diags.HasErrors() && !v.IsKnown() {
		r.report(failure(a.Expr.Range(), "Value not known", "The attribute %q decides what the patch needs and cannot depend on patch.* or on ids of images, which are known after the build only, or on variables that only the site knows.", name))
	}
}

// knownLater tells references to what only the build or the site gives.
func (u *rootUses) knownLater(t hcl.Traversal) bool {
	switch t.RootName() {
	case "patch", "images":
		return true
	case "var":
		name, ok := step(t, 1)
		return u.file != nil && slices.ContainsFunc(u.file.variables, func(b *block) bool {
			return b.attrs["from"] != nil && (!ok || b.name() == name)
		})
	}
	return false
}

// id is the id of an image, or a placeholder where it is not known.
func (r *rootFrame) id(image string) string {
	return cmp.Or(r.ids[image], PlaceholderID)
}

// PlaceholderID stands for the id of an image that has not been made.
const PlaceholderID = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

func (r *rootFrame) checkHost(name string, rng hcl.Range) bool {
	if r.hosts[name] != nil {
		return true
	}
	if r.partial {
		return false
	}
	var known []string
	for _, h := range r.out.Hosts {
		known = append(known, h.Name)
	}
	r.report(failure(rng, "Unknown host",
		"The file declares no host %q.%s", name, didYouMeanOr(name, known, "Declare it with: host %q { … }.", name)))
	return false
}

// checkDependencies checks that what containers depend on exists, and that
// they do not depend on themselves.
func (r *rootFrame) checkDependencies(file *rootFile, places map[string]hcl.Range) {
	if len(places) == 0 {
		return
	}
	var names []string
	known := make(map[string]bool)
	next := make(map[string][]string)
	for _, b := range file.containers {
		names = append(names, b.name())
		known[b.name()] = true
	}
	for _, c := range r.out.Containers {
		next[c.Name] = c.DependsOn
		for _, d := range c.DependsOn {
			if !known[d] && !r.partial {
				r.report(failure(places[c.Name], "Unknown container", "The file declares no container %q.%s", d, didYouMean(d, names)))
			}
		}
	}
	if name := cyclic(names, next); name != "" {
		r.report(failure(places[name], "Dependency cycle", "The container %q depends on itself by way of depends_on. Remove one of the dependencies.", name))
	}
}

// cyclic returns a node from which a path leads back to it, or nothing.
func cyclic(names []string, next map[string][]string) string {
	indegree := make(map[string]int)
	for _, n := range names {
		for _, d := range next[n] {
			indegree[d]++
		}
	}
	var free []string
	for _, n := range names {
		if indegree[n] == 0 {
			free = append(free, n)
		}
	}
	for i := 0; i < len(free); i++ {
		for _, d := range next[free[i]] {
			if indegree[d]--; indegree[d] == 0 {
				free = append(free, d)
			}
		}
	}
	return onCycle(names, next, indegree)
}

// onCycle follows the edges between the nodes that are left until one repeats.
func onCycle(names []string, next map[string][]string, left map[string]int) string {
	start := slices.IndexFunc(names, func(n string) bool { return left[n] > 0 })
	if start < 0 {
		return ""
	}
	seen := make(map[string]bool)
	n := names[start]
	for !seen[n] {
		seen[n] = true
		i := slices.IndexFunc(next[n], func(d string) bool { return left[d] > 0 })
		if i < 0 {
			return n
		}
		n = next[n][i]
	}
	return n
}

// dependencies tells Compose of those between containers of one host; those
// between hosts stand in the manifest alone.
func (r *rootFrame) dependencies() {
	host := make(map[string]string)
	for _, c := range r.out.Containers {
		host[c.Name] = c.Host
	}
	for _, c := range r.out.Containers {
		if r.hosts[c.Host] == nil {
			continue
		}
		var same []string
		for _, d := range c.DependsOn {
			if host[d] == c.Host {
				same = append(same, d)
			}
		}
		if service, ok := r.hosts[c.Host].services[c.Name].(map[string]any); ok && same != nil {
			service["depends_on"] = same
		}
	}
}

// configEntry is the entry of a config file.
func configEntry(host, container, target string) string {
	return path.Join(manifestDir, host, "config", container, target)
}
