package patch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/strictjson"
)

// MaxDescription bounds patch-description.json, in bytes.
const MaxDescription = 64 << 20

// Encode gives the bytes of patch-description.json: two-space indented, keys
// in the order of the fields, empty lists as [], and a newline at the end.
func Encode(d *Description) ([]byte, error) {
	c := *d
	c.RequiredImageIDs = orEmpty(c.RequiredImageIDs)
	c.ContainedImageIDs = orEmpty(c.ContainedImageIDs)
	if c.ImageMap == nil {
		c.ImageMap = map[string]digest.Digest{}
	}
	c.Flotobuild.Contents = orEmpty(c.Flotobuild.Contents)
	c.Flotobuild.Images = filled(orEmpty(c.Flotobuild.Images))
	c.Flotobuild.Bases = filled(c.Flotobuild.Bases)
	b, err := encode(&c)
	if err != nil {
		return nil, fmt.Errorf("cannot encode description: %w", err)
	}
	if len(b) > MaxDescription {
		return nil, fmt.Errorf("cannot encode description: it would have %d bytes, and %d are the limit", len(b), MaxDescription)
	}
	return b, nil
}

// encode encodes the fields, and the unknown members with them.
func encode(d *Description) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if d.unknown == nil {
		e.SetIndent("", "  ")
		err := e.Encode(d)
		return b.Bytes(), err
	}
	if err := e.Encode(d); err != nil {
		return nil, err
	}
	raw, err := d.unknown.insert(reflect.TypeFor[Description](), b.Bytes())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, raw, "", "  ")
	out.WriteByte('\n')
	return out.Bytes(), err
}

// filled gives a copy of images in which no list is nil.
func filled(images []Image) []Image {
	images = slices.Clone(images)
	for i := range images {
		m := slices.Clone(orEmpty(images[i].Manifests))
		for j := range m {
			m[j].Layers = orEmpty(m[j].Layers)
		}
		images[i].Manifests = m
	}
	return images
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Decode parses patch-description.json. Fields that it does not know are kept
// for Encode. Wrong types, keys that stand twice and data behind the object are
// refused.
func Decode(b []byte) (*Description, error) {
	d, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("cannot decode description: %w", err)
	}
	return d, nil
}

func decode(b []byte) (*Description, error) {
	if len(b) > MaxDescription {
		return nil, fmt.Errorf("it has %d bytes, and %d are the limit", len(b), MaxDescription)
	}
	if err := strictjson.CheckKeys(b, freeMaps); err != nil {
		return nil, err
	}
	d, err := unmarshal(b)
	if err != nil {
		return nil, err
	}
	switch v := d.Flotobuild.FormatVersion; {
	case v > FormatVersion:
		return nil, fmt.Errorf("it has format version %d and this flotobuild reads %d at most: take a newer flotobuild", v, FormatVersion)
	case v < 1:
		return nil, errors.New(`it has no "flotobuild" section with a format version: the patch comes from another tool`)
	}
	for i := range d.Flotobuild.Contents {
		if c := &d.Flotobuild.Contents[i]; c.Mode == 0 {
			c.Mode = ModeFile
		}
	}
	return d, nil
}

// unmarshal fills in the fields, and keeps what there is no field for. That is
// looked for only where there is some: descriptions are long.
func unmarshal(b []byte) (*Description, error) {
	d := new(Description)
	strict := json.NewDecoder(bytes.NewReader(b))
	strict.DisallowUnknownFields()
	if strict.Decode(d) == nil {
		return d, nil
	}
	d = new(Description)
	if err := json.Unmarshal(b, d); err != nil {
		return nil, err
	}
	var err error
	d.unknown, err = unknownIn(reflect.TypeFor[Description](), bytes.TrimSpace(b))
	return d, err
}

// CheckKeys refuses JSON in which a key of an object stands twice, in whatever
// case, since readers differ in which one they take.
func CheckKeys(b []byte) error { return strictjson.CheckKeys(b, freeMaps) }

// freeMaps are the keys of objects whose own keys are data, so that they may
// differ in case alone.
var freeMaps = map[string]bool{"imageMap": true, "inputs": true, "annotations": true}
