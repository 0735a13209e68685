package facts

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/planner"
)

// layoutReference finds the entry of index.json that the reference names.
func (w *Workspace) layoutReference(ref string) (digest.Digest, error) {
	dir, tag, d, err := planner.SplitLayout(ref)
	if err != nil {
		return "", err
	}
	all, err := w.layoutImages(dir)
	if err != nil {
		return "", err
	}
	found := slices.DeleteFunc(slices.Clone(all), func(m ocispec.Descriptor) bool {
		return (tag != "" && !named(m, tag)) || (d != "" && m.Digest != d)
	})
	return onlyOne(found, all, ref)
}

// layoutImages reads the entries of a layout's index.json.
func (w *Workspace) layoutImages(dir string) ([]ocispec.Descriptor, error) {
	file := path.Join(dir, ocispec.ImageIndexFile)
	data, err := w.text(file)
	if err != nil {
		return nil, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, &planner.SourceError{File: file, Err: fmt.Errorf("cannot parse image index: %w", err)}
	}
	return index.Manifests, nil
}

// named compares the last part of the name, as tools write both "1.0" and
// "registry.example/app:1.0".
func named(m ocispec.Descriptor, tag string) bool {
	n := m.Annotations[ocispec.AnnotationRefName]
	return n == tag || strings.HasSuffix(n, ":"+tag)
}

func onlyOne(found, all []ocispec.Descriptor, ref string) (digest.Digest, error) {
	var d digest.Digest
	for _, m := range found {
		if d != "" && d != m.Digest {
			return "", fmt.Errorf("the layout %q has several such images, name one: %s", ref, choices(found))
		}
		d = m.Digest
	}
	if d == "" {
		return "", fmt.Errorf("the layout %q has %w, it has: %s", ref, planner.ErrNoImage, choices(all))
	}
	if err := d.Validate(); err != nil {
		return "", fmt.Errorf("the layout %q has the invalid digest %q: %w", ref, d, err)
	}
	return d, nil
}

// choices lists images the way references name them, not too many.
func choices(all []ocispec.Descriptor) string {
	const most = 10
	var out []string
	for n, m := range all {
		if n == most {
			return strings.Join(out, ", ") + fmt.Sprintf(" and %d more", len(all)-most)
		}
		c := "@" + m.Digest.String()
		if n := m.Annotations[ocispec.AnnotationRefName]; n != "" {
			c = fmt.Sprintf("%q (%s)", n, c)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, ", ")
}
