package patch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/store"
)

// Check says what is wrong with a description by itself: digests, names, the
// list of contents, and everything that must follow from the images.
func (d *Description) Check() error {
	for _, f := range []func() error{d.checkHead, d.checkImages, d.checkBases, d.checkIDs, d.checkParents, d.checkTransport} {
		if err := f(); err != nil {
			return fmt.Errorf("description is wrong: %w", err)
		}
	}
	return nil
}

func (d *Description) checkHead() error {
	switch {
	case d.ID == "":
		return errors.New("id is empty")
	case d.SiteName == "":
		return errors.New("siteName is empty")
	case d.CreationDate.IsZero():
		return errors.New("creationDate is missing")
	case d.Flotobuild.FormatVersion != d.version():
		return fmt.Errorf("formatVersion is %d instead of %d", d.Flotobuild.FormatVersion, d.version())
	}
	for key, text := range map[string]string{"siteName": d.SiteName, "name": d.Name, "id": d.ID, "flotobuild.version": d.Flotobuild.Version} {
		if strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("%s %q holds a control character", key, text)
		}
	}
	if _, err := FileName(d.ID); err != nil {
		return err
	}
	if err := checkContents(d.Flotobuild.Contents); err != nil {
		return err
	}
	return d.checkRoot()
}

// checkRoot checks that the patch brings the site's root definition file.
func (d *Description) checkRoot() error {
	if d.RootDefinitionFile == "" {
		return errors.New("rootDefinitionFile is empty")
	}
	want := ConfDir + d.RootDefinitionFile
	if !slices.ContainsFunc(d.Flotobuild.Contents, func(c Content) bool { return c.Path == want }) {
		return fmt.Errorf("entry %q, which rootDefinitionFile names, is not listed", want)
	}
	return nil
}

func (d *Description) checkImages() error {
	images := d.Flotobuild.Images
	for n, i := range images {
		if n > 0 && images[n-1].Name >= i.Name {
			return fmt.Errorf("image %q stands behind %q: images must be sorted by name, each once", i.Name, images[n-1].Name)
		}
		if err := i.check(); err != nil {
			return fmt.Errorf("image %q: %w", i.Name, err)
		}
		if d.ImageMap[i.Name] != i.ID {
			return fmt.Errorf("imageMap gives %q for image %q, whose id is %q", d.ImageMap[i.Name], i.Name, i.ID)
		}
	}
	if len(d.ImageMap) != len(images) {
		return fmt.Errorf("imageMap has %d names for %d images", len(d.ImageMap), len(images))
	}
	return nil
}

// check compares the parts of an image with each other.
func (i Image) check() error {
	blobs := []ocispec.Descriptor{i.Descriptor}
	for _, c := range i.Cache {
		blobs = append(blobs, ocispec.Descriptor{Digest: c.Digest, Size: c.Size})
	}
	for _, m := range i.Manifests {
		blobs = append(blobs, m.Descriptor, m.Config)
		for _, l := range m.Layers {
			if err := verify.CheckDigest(l.DiffID); err != nil {
				return fmt.Errorf("diff id: %w", err)
			}
			blobs = append(blobs, l.Descriptor())
		}
	}
	for _, b := range blobs {
		if err := verify.CheckDigest(b.Digest); err != nil {
			return err
		}
		if b.Size < 0 {
			return fmt.Errorf("blob %q has size %d", b.Digest, b.Size)
		}
	}
	return i.checkID()
}

func (i Image) checkID() error {
	id := i.Descriptor.Digest
	switch {
	case len(i.Manifests) == 0:
		return errors.New("it has no manifest")
	case store.IsIndex(i.Descriptor.MediaType):
	case len(i.Manifests) != 1 || i.Manifests[0].Descriptor.Digest != id:
		return errors.New("its descriptor is neither an index nor its only manifest")
	default:
		id = i.Manifests[0].Config.Digest
	}
	if i.ID != id {
		return fmt.Errorf("its id is %q and should be %q", i.ID, id)
	}
	return nil
}

func (d *Description) checkIDs() error {
	if want := Required(d.Flotobuild.Images); !slices.Equal(d.RequiredImageIDs, want) {
		return fmt.Errorf("requiredImageIds are not those of the images: %d instead of %d, or in another order", len(d.RequiredImageIDs), len(want))
	}
	required := set(d.RequiredImageIDs)
	for n, id := range d.ContainedImageIDs {
		if !required[id] {
			return fmt.Errorf("containedImageIds has %q, which is not required", id)
		}
		if n > 0 && d.ContainedImageIDs[n-1] >= id {
			return fmt.Errorf("containedImageIds are not sorted at %q", id)
		}
	}
	if len(d.Flotobuild.Parents) == 0 && len(d.ContainedImageIDs) != len(d.RequiredImageIDs) {
		return errors.New("an initial patch must contain all that it requires")
	}
	return nil
}

func (d *Description) checkParents() error {
	parents := d.Flotobuild.Parents
	for n, p := range parents {
		if err := verify.CheckDigest(p.DescriptionDigest); err != nil {
			return fmt.Errorf("parent %q: %w", p.ID, err)
		}
		if _, err := FileName(p.ID); err != nil {
			return fmt.Errorf("parent: %w", err)
		}
		if slices.ContainsFunc(parents[:n], func(q ParentRef) bool { return q.DescriptionDigest == p.DescriptionDigest }) {
			return fmt.Errorf("parent %q stands twice", p.ID)
		}
		if p.ID == d.ID {
			return fmt.Errorf("it names itself, %q, as parent", d.ID)
		}
	}
	if r := d.Flotobuild.Release; r != nil {
		if err := verify.CheckDigest(r.DescriptionDigest); err != nil {
			return fmt.Errorf("release %q: %w", r.ID, err)
		}
	}
	switch {
	case len(parents) == 0 && d.ParentID != "":
		return fmt.Errorf("parentId is %q, and parents are none", d.ParentID)
	case len(parents) > 0 && d.ParentID != parents[0].ID:
		return fmt.Errorf("parentId is %q, and the first parent is %q", d.ParentID, parents[0].ID)
	}
	return nil
}

// checkTransport checks that the layers said to travel are those listed, and
// that only blobs of the images are.
func (d *Description) checkTransport() error {
	known := make(map[string]ocispec.Descriptor)
	for _, b := range append(Blobs(d.Flotobuild.Images), d.Records()...) {
		known[BlobEntry(b.Digest)] = b
	}
	listed := make(map[string]bool)
	for _, c := range d.Flotobuild.Contents {
		if _, ok := entryBlob(c.Path); !ok {
			continue
		}
		b, ok := known[c.Path]
		switch {
		case !ok:
			return fmt.Errorf("entry %q belongs to no image", c.Path)
		case b.Size != c.Size:
			return fmt.Errorf("entry %q has %d bytes, and its image says %d", c.Path, c.Size, b.Size)
		}
		listed[c.Path] = true
	}
	if err := d.checkRecords(listed); err != nil {
		return err
	}
	if err := d.checkLayers(listed); err != nil {
		return err
	}
	return d.checkDeltas()
}

func (d *Description) checkLayers(listed map[string]bool) error {
	full := make(map[string]bool)
	for _, t := range d.Flotobuild.Transport {
		if t.Kind == TransportFull {
			full[string(t.DiffID)] = true
		}
	}
	carried := make(map[string]bool)
	for _, i := range d.Flotobuild.Images {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				if listed[BlobEntry(l.Digest)] {
					carried[string(l.DiffID)] = true
				}
			}
		}
	}
	for id := range carried {
		if !full[id] {
			return fmt.Errorf("transport does not name the layer with diff id %q, which is in the patch", id)
		}
	}
	for id := range full {
		if !carried[id] {
			return fmt.Errorf("transport names the layer with diff id %q, which is not in the patch", id)
		}
	}
	return nil
}
