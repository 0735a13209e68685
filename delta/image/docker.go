package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// dockerManifest lists the images of a docker archive.
const dockerManifest = "manifest.json"

// A dockerImage is an element of that list.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// dockerImages reads that list; nil is what is no docker archive, such as a layer
// with a file of that name.
func (t *tarfile) dockerImages() []dockerImage {
	b, err := t.document(dockerManifest)
	if err != nil {
		return nil
	}
	var all []dockerImage
	if err := json.Unmarshal(b, &all); err != nil {
		return nil
	}
	for _, d := range all {
		if d.Config == "" {
			return nil
		}
	}
	return all
}

// openDocker opens an image of a docker archive. Such an archive has no
// manifests; its layers are plain tars, or compressed ones under the same names.
func openDocker(t *tarfile, all []dockerImage, c Choice) (*Image, error) {
	if c.Digest != "" || c.Platform != "" {
		return nil, errors.New("it is a docker archive: only names choose one of its images")
	}
	all = slices.DeleteFunc(all, func(d dockerImage) bool {
		return c.Name != "" && !slices.ContainsFunc(d.RepoTags, func(tag string) bool { return named(tag, c.Name) })
	})
	switch len(all) {
	case 0:
		return nil, errors.New("it has no such image")
	case 1:
		return t.docker(all[0])
	}
	var names []string
	for _, d := range all {
		names = append(names, d.RepoTags...)
	}
	return nil, fmt.Errorf("it has several images, choose one: %s", strings.Join(names, ", "))
}

func (t *tarfile) docker(d dockerImage) (*Image, error) {
	config, err := t.document(d.Config)
	if err != nil {
		return nil, err
	}
	ids, err := diffIDs(config)
	if err != nil {
		return nil, err
	}
	if len(ids) != len(d.Layers) {
		return nil, fmt.Errorf("its config has %d layers, and %q %d", len(ids), dockerManifest, len(d.Layers))
	}
	i := &Image{Form: DockerArchive, Config: config, ID: store.Describe(ocispec.MediaTypeImageConfig, config)}
	for n, name := range d.Layers {
		r, err := t.open(name)
		if err != nil {
			return nil, err
		}
		l := Layer{DiffID: ids[n], open: func(context.Context) (store.Blob, error) { return sectionBlob{r}, nil }}
		i.Layers = append(i.Layers, l)
	}
	return i, nil
}
