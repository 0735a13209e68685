package legacy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// dropped are fields of a layer's json that describe the layer and its place,
// and not the image.
var dropped = []string{"id", "parent", "parent_id", "layer_id", "Size", "size", "throwaway", "checksum", "rootfs", "history"}

// config makes the image config of a chain of layers, the lowest first: the
// json of the topmost, with rootfs and history instead of the links between
// layers, as Docker 1.10 migrated its images. diffID gives none for a layer
// without files, which becomes a line of the history alone. Equal chains give
// equal bytes.
func config(layers []*layer, diffID func(id string) digest.Digest) ([]byte, ocispec.Descriptor, error) {
	rootfs := ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}}
	var history []ocispec.History
	for _, l := range layers {
		h, err := l.history()
		if err != nil {
			return nil, ocispec.Descriptor{}, fmt.Errorf("layer %q: %w", l.id, err)
		}
		if d := diffID(l.id); d != "" {
			rootfs.DiffIDs = append(rootfs.DiffIDs, d)
		} else {
			h.EmptyLayer = true
		}
		history = append(history, h)
	}
	top := layers[len(layers)-1]
	fields := make(map[string]any, len(top.fields))
	for k, v := range top.fields {
		fields[k] = v
	}
	for _, k := range dropped {
		delete(fields, k)
	}
	for k, v := range map[string]string{"architecture": "amd64", "os": "linux"} {
		if t, err := top.text(k); err != nil || t == "" {
			fields[k] = v
		}
	}
	fields["rootfs"], fields["history"] = rootfs, history
	b, err := json.Marshal(fields)
	if err == nil {
		err = json.Unmarshal(b, new(ocispec.Image))
	}
	if err != nil {
		return nil, ocispec.Descriptor{}, fmt.Errorf("the json of layer %q cannot become an image config: %w", top.id, err)
	}
	return b, store.Describe(ocispec.MediaTypeImageConfig, b), nil
}

// history is what a layer's json says of how it was made.
func (l *layer) history() (ocispec.History, error) {
	var h ocispec.History
	var step struct {
		Cmd any
	}
	texts := map[string]*string{"author": &h.Author, "comment": &h.Comment}
	for key, to := range texts {
		t, err := l.text(key)
		if err != nil {
			return h, err
		}
		*to = t
	}
	created, err := l.text("created")
	if err != nil {
		return h, err
	}
	if created != "" {
		t, err := time.Parse(time.RFC3339Nano, created)
		if err != nil {
			return h, fmt.Errorf("created is %q, which is no time", created)
		}
		h.Created = &t
	}
	if raw := l.fields["container_config"]; raw != nil {
		if err := json.Unmarshal(raw, &step); err != nil {
			return h, errors.New("container_config is no object")
		}
	}
	h.CreatedBy = command(step.Cmd)
	return h, nil
}

// command joins a command that is a list, or a text in the oldest images.
func command(cmd any) string {
	switch c := cmd.(type) {
	case string:
		return c
	case []any:
		words := make([]string, len(c))
		for i, w := range c {
			words[i] = fmt.Sprint(w)
		}
		return strings.Join(words, " ")
	}
	return ""
}

// platform is that of an image config.
func platform(config []byte) (ocispec.Platform, error) {
	var i ocispec.Image
	if err := json.Unmarshal(config, &i); err != nil {
		return ocispec.Platform{}, err
	}
	return i.Platform, nil
}
