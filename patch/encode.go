package patch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/opencontainers/go-digest"
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
	if err := CheckKeys(b); err != nil {
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

// maxDepth bounds the nesting of a description's values.
const maxDepth = 32

// CheckKeys refuses JSON in which a key of an object stands twice, in whatever
// case, since readers differ in which one they take.
func CheckKeys(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := checkValue(dec, 0, false); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// freeMaps are the keys of objects whose own keys are data, so that they may
// differ in case alone.
var freeMaps = map[string]bool{"imageMap": true, "inputs": true, "annotations": true}

// addKey notes a key. encoding/json takes keys for a field in any case.
func addKey(keys map[string]string, name string, free bool) error {
	folded := name
	if !free {
		folded = strings.Map(fold, name)
	}
	switch other, ok := keys[folded]; {
	case ok && other == name:
		return fmt.Errorf("key %q stands twice", name)
	case ok:
		return fmt.Errorf("keys %q and %q differ in case alone", other, name)
	}
	keys[folded] = name
	return nil
}

// fold gives the least of the characters that are equal but for case, as
// strings.EqualFold takes them.
func fold(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

// checkValue checks a value; the keys of a free one may differ in case alone.
func checkValue(dec *json.Decoder, depth int, free bool) error {
	t, err := dec.Token()
	if err != nil {
		return unexpected(err)
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	keys := make(map[string]string)
	name := ""
	for dec.More() {
		if open == '{' {
			k, err := dec.Token()
			if err != nil {
				return unexpected(err)
			}
			name, _ = k.(string)
			if err := addKey(keys, name, free); err != nil {
				return err
			}
		}
		if err := checkValue(dec, depth+1, open == '{' && freeMaps[name]); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return unexpected(err)
}

// unexpected makes the end of the data an error in the middle of a value.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
