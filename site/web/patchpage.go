package web

import (
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/registry"
)

// A patchView is the data of the page of a patch.
type patchView struct {
	Patch     *site.Patch
	Redeploys bool
	// ValuesBefore says that the active patch was active with other values before.
	ValuesBefore bool
	Missing      []string // variables without a value, which keep it from being activated

	Against    *site.Patch // the active one; nil where there is none, or this is it
	Difference *patch.Difference
	Summary    string
	Changed    []imageChange
	Files      []patch.FileDifference
	MoreFiles  int

	Containers  []containerView
	Images      []imageView
	PullExample string
	Facts       []fact
}

// An imageChange is an image that differs from that of the active patch.
type imageChange struct {
	Name     string
	Change   patch.Change
	New      int // layers
	NewBytes int64
}

// A containerView is a container of the manifest. Change is empty for one that
// stays, as far as its image goes.
type containerView struct {
	Name, Host, Image string
	Change            patch.Change
}

type imageView struct {
	Name, Platforms, Digest string
	Layers                  int
	Size                    int64 // bytes
}

// A fact is a line of the last table of the page.
type fact struct {
	Name, Value string
	Code        bool
}

// mostFiles is how many files that differ the page shows.
const mostFiles = 500

func (s *Server) patchPage(w http.ResponseWriter, r *http.Request) {
	v, err := s.patchView(r.PathValue("id"))
	if err != nil {
		s.broken(w, r, err)
		return
	}
	if len(v.Images) > 0 {
		v.PullExample = fmt.Sprintf("docker pull %s/%s@%s", r.Host, registry.RepositoryName(v.Images[0].Name), v.Images[0].Digest)
	}
	v.Missing = s.missing(r, v.Patch.ID)
	s.show(w, r, http.StatusOK, "patch", v.Patch.Name+" "+v.Patch.Version, v)
}

func (s *Server) patchView(id string) (*patchView, error) {
	p, err := s.patch(id)
	if err != nil {
		return nil, err
	}
	v := &patchView{Patch: p, Redeploys: s.opts.Deployer != nil, Images: imageViews(p.Images()), Facts: facts(p)}
	if p.Active {
		if v.ValuesBefore, err = s.site.ValuesBefore(); err != nil {
			return nil, err
		}
	}
	active, ok, err := s.site.Active()
	if err != nil {
		return nil, err
	}
	if ok && active != id {
		if v.Against, err = s.patch(active); err != nil {
			return nil, err
		}
		v.compare()
	}
	v.containers()
	return v, nil
}

// compare says what activating the patch would change.
func (v *patchView) compare() {
	v.Difference = patch.Diff(v.Against.Header, v.Patch.Header)
	counts := make(map[patch.Change]int)
	for _, i := range v.Difference.Images {
		counts[i.Change]++
		if i.Change == patch.Same {
			continue
		}
		c := imageChange{Name: i.Name, Change: i.Change}
		for _, l := range i.Layers {
			if l.Change == patch.Added {
				c.New++
				c.NewBytes += l.Size
			}
		}
		v.Changed = append(v.Changed, c)
	}
	v.Files = v.Difference.Files[:min(len(v.Difference.Files), mostFiles)]
	v.MoreFiles = len(v.Difference.Files) - len(v.Files)
	v.Summary = summary(v.Difference, counts)
}

// summary counts what differs.
func summary(d *patch.Difference, counts map[patch.Change]int) string {
	if d.Equal() {
		return "the releases are the same."
	}
	var parts []string
	for _, c := range []patch.Change{patch.Changed, patch.Added, patch.Removed} {
		if n := counts[c]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", count(n, "image"), c))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "no image differs")
	}
	if l := d.Layers.Added; l.Count > 0 {
		parts = append(parts, fmt.Sprintf("%s with %s", count(l.Count, "new layer"), byteSize(l.Size)))
	}
	if n := len(d.Files); n > 0 {
		differ := "differ"
		if n == 1 {
			differ = "differs"
		}
		parts = append(parts, fmt.Sprintf("%s %s", count(n, "file"), differ))
	}
	return strings.Join(parts, ", ") + "."
}

// containers lists what runs, and what of it has another image than now.
func (v *patchView) containers() {
	if v.Patch.Manifest == nil {
		return
	}
	before := make(map[string]string)
	if v.Against != nil && v.Against.Manifest != nil {
		for _, c := range v.Against.Manifest.Containers {
			before[c.Host+"/"+c.Name] = c.ImageID
		}
	}
	for _, c := range v.Patch.Manifest.Containers {
		one := containerView{Name: c.Name, Host: c.Host, Image: c.Image}
		key := c.Host + "/" + c.Name
		if old, ok := before[key]; v.Against != nil && !ok {
			one.Change = patch.Added
		} else if ok && old != c.ImageID {
			one.Change = patch.Changed
		}
		delete(before, key)
		v.Containers = append(v.Containers, one)
	}
	if v.Against == nil || v.Against.Manifest == nil {
		return
	}
	for _, c := range v.Against.Manifest.Containers {
		if _, gone := before[c.Host+"/"+c.Name]; gone {
			v.Containers = append(v.Containers, containerView{c.Name, c.Host, c.Image, patch.Removed})
		}
	}
}

func imageViews(images []patch.Image) []imageView {
	var out []imageView
	for _, i := range images {
		v := imageView{Name: i.Name, Digest: i.Descriptor.Digest.String()}
		var platforms []string
		for _, m := range i.Manifests {
			platforms = append(platforms, m.Platform)
		}
		for _, b := range neededBlobs([]patch.Image{i}) {
			v.Size += b.Size
		}
		for _, m := range i.Manifests {
			v.Layers = max(v.Layers, len(m.Layers))
		}
		v.Platforms = strings.Join(platforms, ", ")
		out = append(out, v)
	}
	return out
}

func facts(p *site.Patch) []fact {
	var out []fact
	add := func(name, value string, code bool) {
		if value != "" {
			out = append(out, fact{name, value, code})
		}
	}
	add("Made", stamp(p.Created), false)
	add("Revision", p.Revision, true)
	add("Imported", stamp(p.Imported), false)
	add("Imported by", p.By, false)
	add("From", path.Base(p.Source), true)
	add("Size of the file", byteSize(p.Size), false)
	add("New in it", byteSize(p.Added), false)
	var parents []string
	for _, ref := range p.Parents {
		parents = append(parents, ref.ID)
	}
	add("Applies on top of", strings.Join(parents, "\n"), true)
	if p.Release != nil {
		add("Stands for", p.Release.ID, true)
	}
	add("Checked at import", fmt.Sprintf("%s with %s, and %s decompressed", count(p.Verified.Entries, "file"), byteSize(p.Verified.Bytes), count(p.Verified.Layers, "layer")), false)
	add("Signatures", signatures(p), false)
	add("Description", p.DescriptionDigest.String(), true)
	return out
}

// signatures says what was found out about them at import.
func signatures(p *site.Patch) string {
	if p.Verified.Policy {
		return "satisfy the site's trust policy"
	}
	return "the site has no trust policy; they were not checked"
}
