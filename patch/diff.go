package patch

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// DifferenceVersion is the version of the JSON form of a Difference.
const DifferenceVersion = 1

// A Change says what became of a thing from one patch to another.
type Change string

// The changes.
const (
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed"
	Same    Change = "same"
)

// A Difference says how the release of patch B differs from that of patch A:
// what a site has with the one and with the other, whatever the files carry.
type Difference struct {
	FormatVersion int                   `json:"formatVersion"` // DifferenceVersion
	A             ParentRef             `json:"a"`
	B             ParentRef             `json:"b"`
	Attributes    []AttributeDifference `json:"attributes"`
	Images        []ImageDifference     `json:"images"` // all, sorted by name
	Layers        LayerTotals           `json:"layers"`
	Files         []FileDifference      `json:"files"` // those that differ, in the order of the ZIP
}

// An AttributeDifference is a field that says something of a release as such.
type AttributeDifference struct {
	Key string `json:"key"` // as in the description
	A   string `json:"a"`
	B   string `json:"b"`
}

// An ImageDifference compares images of one name.
type ImageDifference struct {
	Name   string        `json:"name"`
	Change Change        `json:"change"`
	A      digest.Digest `json:"a,omitempty"` // id
	B      digest.Digest `json:"b,omitempty"`
	// Layers are those of the image in A that no image of B has, then those of
	// the image in B, base first, each once. They are new where no image of A
	// has them.
	Layers []LayerDifference `json:"layers"`
}

// A LayerDifference is a layer of one or both images.
type LayerDifference struct {
	Change    Change        `json:"change"` // never Changed
	DiffID    digest.Digest `json:"diffId"`
	Size      int64         `json:"size"` // bytes of the blob
	CreatedBy string        `json:"createdBy,omitempty"`
}

// LayerTotals count the layers of all images, each once.
type LayerTotals struct {
	Added   LayerTotal `json:"added"`
	Removed LayerTotal `json:"removed"`
	Same    LayerTotal `json:"same"`
}

// A LayerTotal is a number of layers.
type LayerTotal struct {
	Count int   `json:"count"`
	Size  int64 `json:"size"` // bytes of the blobs
}

// A FileDifference compares entries outside images/ of one name.
type FileDifference struct {
	Path   string   `json:"path"`
	Change Change   `json:"change"`
	A      *Content `json:"a,omitempty"`
	B      *Content `json:"b,omitempty"`
}

// Equal says that the releases are the same.
func (d *Difference) Equal() bool {
	return len(d.Attributes) == 0 && len(d.Files) == 0 &&
		!slices.ContainsFunc(d.Images, func(i ImageDifference) bool { return i.Change != Same })
}

// Diff compares the releases of two patches. Ids, dates and parents are not
// compared: they belong to the patch and not to the release.
func Diff(a, b *Header) *Difference {
	x, y := a.Description, b.Description
	return &Difference{
		FormatVersion: DifferenceVersion,
		A:             ParentRef{x.ID, a.Digest},
		B:             ParentRef{y.ID, b.Digest},
		Attributes:    diffAttributes(x, y),
		Images:        diffImages(x, y),
		Layers:        totals(diffLayers(layersOf(x.Flotobuild.Images), layersOf(y.Flotobuild.Images), diffIDs(x), diffIDs(y))),
		Files:         diffFiles(x.Flotobuild.Contents, y.Flotobuild.Contents),
	}
}

func diffAttributes(a, b *Description) []AttributeDifference {
	out := []AttributeDifference{}
	for _, f := range []AttributeDifference{
		{"siteName", a.SiteName, b.SiteName},
		{"name", a.Name, b.Name},
		{"flotobuild.version", a.Flotobuild.Version, b.Flotobuild.Version},
		{"revision", a.Revision, b.Revision},
		{"comment", a.Comment, b.Comment},
		{"rootDefinitionFile", a.RootDefinitionFile, b.RootDefinitionFile},
		{"author", a.Author, b.Author},
		{"producer", a.Producer, b.Producer},
	} {
		if f.A != f.B {
			out = append(out, f)
		}
	}
	return out
}

func diffImages(a, b *Description) []ImageDifference {
	out := []ImageDifference{}
	had, has := diffIDs(a), diffIDs(b)
	both(a.Flotobuild.Images, b.Flotobuild.Images, func(i Image) string { return i.Name }, strings.Compare, func(name string, x, y *Image) {
		d := ImageDifference{Name: name, Change: Same}
		var old, now []Layer
		if x != nil {
			d.A, old = x.ID, layersOf([]Image{*x})
		}
		if y != nil {
			d.B, now = y.ID, layersOf([]Image{*y})
		}
		switch {
		case x == nil:
			d.Change = Added
		case y == nil:
			d.Change = Removed
		case x.ID != y.ID:
			d.Change = Changed
		}
		d.Layers = diffLayers(old, now, had, has)
		out = append(out, d)
	})
	return out
}

// diffLayers compares layers; had and has are the diff ids of all of them before
// and after.
func diffLayers(old, now []Layer, had, has map[digest.Digest]bool) []LayerDifference {
	out := []LayerDifference{}
	for _, l := range old {
		if !has[l.DiffID] {
			out = append(out, LayerDifference{Removed, l.DiffID, l.Size, l.CreatedBy})
		}
	}
	for _, l := range now {
		change := Added
		if had[l.DiffID] {
			change = Same
		}
		out = append(out, LayerDifference{change, l.DiffID, l.Size, l.CreatedBy})
	}
	return out
}

func diffIDs(d *Description) map[digest.Digest]bool {
	out := make(map[digest.Digest]bool)
	for _, l := range layersOf(d.Flotobuild.Images) {
		out[l.DiffID] = true
	}
	return out
}

// layersOf gives the layers of all platforms, each once.
func layersOf(images []Image) []Layer {
	var out []Layer
	seen := make(map[digest.Digest]bool)
	for _, i := range images {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				if !seen[l.DiffID] {
					seen[l.DiffID] = true
					out = append(out, l)
				}
			}
		}
	}
	return out
}

func totals(layers []LayerDifference) LayerTotals {
	var t LayerTotals
	of := map[Change]*LayerTotal{Added: &t.Added, Removed: &t.Removed, Same: &t.Same}
	for _, l := range layers {
		of[l.Change].Count++
		of[l.Change].Size += l.Size
	}
	return t
}

func diffFiles(a, b []Content) []FileDifference {
	out := []FileDifference{}
	both(files(a), files(b), func(c Content) string { return c.Path }, Compare, func(name string, x, y *Content) {
		d := FileDifference{name, Changed, x, y}
		switch {
		case x == nil:
			d.Change = Added
		case y == nil:
			d.Change = Removed
		case *x == *y:
			return
		}
		out = append(out, d)
	})
	return out
}

// files are the entries that are no part of the images.
func files(contents []Content) []Content {
	return slices.DeleteFunc(slices.Clone(contents), func(c Content) bool {
		return strings.HasPrefix(c.Path, "images/") || c.Path == VersionEntry
	})
}

// both visits the elements of two lists by their name, in order; one of them is
// nil where a list has none.
func both[T any](a, b []T, name func(T) string, compare func(x, y string) int, visit func(name string, x, y *T)) {
	x, y := byName(a, name), byName(b, name)
	all := maps.Clone(x)
	maps.Copy(all, y)
	for _, n := range slices.SortedFunc(maps.Keys(all), func(m, n string) int { return cmp.Or(compare(m, n), strings.Compare(m, n)) }) {
		visit(n, x[n], y[n])
	}
}

func byName[T any](list []T, name func(T) string) map[string]*T {
	out := make(map[string]*T)
	for i := range list {
		out[name(list[i])] = &list[i]
	}
	return out
}
