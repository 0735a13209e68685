package relate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
)

// A MissingError says which blobs are at hand nowhere.
type MissingError struct {
	Blobs []Missing
	// Sources are the ids of patches that are not at hand and may have them.
	Sources []string
}

// Missing is a blob that is needed and not at hand.
type Missing struct {
	ocispec.Descriptor
	// What says what the blob is: a layer of an image, or its manifest.
	What string
}

// mostMissing bounds the blobs that a message lists.
const mostMissing = 10

// Error lists the blobs and where they could come from.
func (e *MissingError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d blobs are not at hand:", len(e.Blobs))
	for i, m := range e.Blobs {
		if i == mostMissing {
			fmt.Fprintf(&b, "\n  and %d more", len(e.Blobs)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s, %d bytes: %s", m.Digest, m.Size, m.What)
	}
	for _, s := range e.Sources {
		fmt.Fprintf(&b, "\nthe patch %q, or one that it builds on, may have them", s)
	}
	return b.String()
}

// check looks for blobs before anything is written. needed are those of d.
func (h *Hand) check(ctx context.Context, d *patch.Description, needed []ocispec.Descriptor) error {
	what := describeBlobs(d)
	e := &MissingError{}
	for _, n := range needed {
		b, err := h.Blob(ctx, n.Digest)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			e.Blobs = append(e.Blobs, Missing{n, what[n.Digest]})
		case err != nil:
			return err
		default:
			b.Close()
		}
	}
	if len(e.Blobs) == 0 {
		return nil
	}
	e.Sources = h.absent(d)
	return e
}

// absent lists the relatives of d and of all patches at hand that are not.
func (h *Hand) absent(d *patch.Description) []string {
	var out []string
	refs := related(d)
	for _, p := range h.patches {
		if p.Description.SiteName == d.SiteName {
			refs = append(refs, related(p.Description)...)
		}
	}
	for _, r := range refs {
		if h.Find(r) == nil {
			out = append(out, r.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// describeBlobs says what each blob of a patch is.
func describeBlobs(d *patch.Description) map[digest.Digest]string {
	out := make(map[digest.Digest]string)
	add := func(b digest.Digest, format string, args ...any) {
		if out[b] == "" {
			out[b] = fmt.Sprintf(format, args...)
		}
	}
	for _, i := range append(slices.Clone(d.Flotobuild.Images), d.Flotobuild.Bases...) {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				step := ""
				if l.CreatedBy != "" {
					step = fmt.Sprintf(" (%s)", l.CreatedBy)
				}
				add(l.Digest, "layer %s of image %q%s", l.DiffID, i.Name, step)
			}
			add(m.Config.Digest, "config of image %q", i.Name)
			add(m.Descriptor.Digest, "manifest of image %q", i.Name)
		}
		add(i.Descriptor.Digest, "index of image %q", i.Name)
		for _, c := range i.Cache {
			add(c.Digest, "cache records of image %q", i.Name)
		}
	}
	return out
}
