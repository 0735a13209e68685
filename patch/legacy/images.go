package legacy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// imagesDir is the folder of the layers.
const imagesDir = "images/"

// Files in the folder of a layer.
const (
	versionFile = "VERSION"
	jsonFile    = "json"
	layerFile   = "layer.tar"
)

// maxJSON bounds the json of a layer, in bytes.
const maxJSON = 8 << 20

// A layer is one folder of images/.
type layer struct {
	id     string
	parent string // empty for the lowest
	fields map[string]json.RawMessage
}

func entryOf(id, file string) string { return imagesDir + id + "/" + file }

// contained gives the ids of the layers in the file, sorted.
func (p *Reader) contained() []string {
	var ids []string
	for _, name := range p.order {
		id, ok := strings.CutPrefix(name, imagesDir)
		if !ok {
			continue
		}
		if id, file, ok := strings.Cut(id, "/"); ok && file == layerFile {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// has tells whether the file brings a layer, or a part of one.
func (p *Reader) has(id string) bool {
	return p.files[entryOf(id, jsonFile)] != nil || p.files[entryOf(id, layerFile)] != nil
}

// layer reads what describes a layer.
func (p *Reader) layer(id string) (*layer, error) {
	for _, file := range []string{versionFile, jsonFile, layerFile} {
		if p.files[entryOf(id, file)] == nil {
			return nil, fmt.Errorf("layer %q has no file %q", id, file)
		}
	}
	version, err := read(p.files[entryOf(id, versionFile)], maxVersion)
	if err != nil {
		return nil, err
	}
	if v := strings.TrimSpace(string(version)); v != "1.0" {
		return nil, fmt.Errorf("layer %q has version %q, and only 1.0 is known", id, v)
	}
	b, err := read(p.files[entryOf(id, jsonFile)], maxJSON)
	if err != nil {
		return nil, err
	}
	l := &layer{id: id}
	if err := l.parse(b); err != nil {
		return nil, fmt.Errorf("layer %q: its json is wrong: %w", id, err)
	}
	return l, nil
}

func (l *layer) parse(b []byte) error {
	if err := json.Unmarshal(b, &l.fields); err != nil {
		return err
	}
	id, err := l.text("id")
	if err != nil {
		return err
	}
	if id != l.id {
		return fmt.Errorf("it is that of %q", id)
	}
	if l.parent, err = l.text("parent"); err != nil || l.parent == "" {
		return err
	}
	return checkID(l.parent)
}

// text gives a field that is a string; empty where there is none.
func (l *layer) text(key string) (string, error) {
	var s string
	if l.fields[key] == nil {
		return "", nil
	}
	if err := json.Unmarshal(l.fields[key], &s); err != nil {
		return "", fmt.Errorf("%q is no text", key)
	}
	return s, nil
}

// maxDepth bounds the layers of an image; Docker took 127.
const maxDepth = 1024

// errNotAtHand says that a layer is in none of the files.
var errNotAtHand = errors.New("it is in none of the files at hand")

// chain gives the layers of an image, the lowest first. find gives one layer,
// or errNotAtHand.
func chain(id string, find func(string) (*layer, error)) ([]*layer, error) {
	var out []*layer
	seen := make(map[string]bool)
	for id != "" {
		if seen[id] || len(out) == maxDepth {
			return nil, fmt.Errorf("layer %q stands below itself, or below %d others", id, maxDepth)
		}
		seen[id] = true
		l, err := find(id)
		if err != nil {
			return nil, fmt.Errorf("layer %q: %w", id, err)
		}
		out = append(out, l)
		id = l.parent
	}
	slices.Reverse(out)
	return out, nil
}

// A set of files finds layers in all of them.
type set struct {
	files  []*Reader
	layers map[string]*layer
}

func newSet(files ...*Reader) *set { return &set{files, make(map[string]*layer)} }

// holder gives the file that brings a layer.
func (s *set) holder(id string) *Reader {
	for _, f := range s.files {
		if f.has(id) {
			return f
		}
	}
	return nil
}

func (s *set) layer(id string) (*layer, error) {
	if l := s.layers[id]; l != nil {
		return l, nil
	}
	f := s.holder(id)
	if f == nil {
		return nil, errNotAtHand
	}
	l, err := f.layer(id)
	if err == nil {
		s.layers[id] = l
	}
	return l, err
}
