package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/store"
)

// A Site is what a deployment needs of a site's store.
type Site interface {
	Name() string
	Dir() string
	Blobs() *store.Store
	// Active gives what is active; the zero value where nothing is.
	Active() (site.Ref, error)
	// Release opens a patch of the site, with the values that it was deployed with
	// or, where none are named, those of its last activation.
	Release(ref site.Ref) (*Release, error)
	// Return activates what was deployed before, with the values that it had.
	Return(ctx context.Context, to site.Ref, by string) error
	// Record notes what was done, and why it failed, in the site's history.
	Record(by, patch, from, detail string, failure error) error
}

// A Release is a patch as far as it runs.
type Release struct {
	ID       string
	Values   string // as site.Ref has them
	Version  string
	Manifest *lang.Manifest
	Images   []patch.Image
	// Contents list the entries of the patch, and Files has those of manifest/
	// and conf/.
	Contents []patch.Content
	Files    fs.FS
	// Secrets are texts in Files that no report, event or error may hold.
	Secrets []string
}

func (r *Release) ref() site.Ref { return site.Ref{Patch: r.ID, Values: r.Values} }

// same says whether two are the same, as far as anybody knows the values: states of
// before do not have them.
func same(a, b site.Ref) bool {
	return a.Patch == b.Patch && (a.Values == b.Values || a.Values == "" || b.Values == "")
}

// check refuses manifests that do not fit their patch, or whose names cannot be
// those of files.
func (r *Release) check() error {
	if r.Manifest == nil {
		return errors.New("it has no manifest that says what runs where")
	}
	for _, h := range r.Manifest.Hosts {
		if !fs.ValidPath(h.Name) || h.Name == "." || strings.ContainsAny(h.Name, "/\\\x00") {
			return fmt.Errorf("its manifest has a host with the name %q, which cannot be that of a folder", h.Name)
		}
	}
	for _, c := range r.Manifest.Containers {
		if r.image(c.Image) == nil {
			return fmt.Errorf("its manifest gives container %q the image %q, which it does not have", c.Name, c.Image)
		}
	}
	return nil
}

func (r *Release) image(name string) *patch.Image {
	i := slices.IndexFunc(r.Images, func(i patch.Image) bool { return i.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Images[i]
}

// imagesOf gives the images of a host's containers, each once.
func (r *Release) imagesOf(host string) []*patch.Image {
	var out []*patch.Image
	for _, c := range r.Manifest.Containers {
		i := r.image(c.Image)
		if c.Host == host && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

func (r *Release) host(name string) *lang.ManifestHost {
	i := slices.IndexFunc(r.Manifest.Hosts, func(h lang.ManifestHost) bool { return h.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Manifest.Hosts[i]
}
