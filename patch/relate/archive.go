package relate

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// An archive writes the form of docker save. Layers stand in it as plain tars:
// older tools know no zstd, and some take all layers for compressed when the
// first one is.
type archive struct {
	w    *tar.Writer
	hand *Hand
	time time.Time
	done map[string]bool
}

func newArchive(w io.Writer, h *Hand, t time.Time) *archive {
	return &archive{w: tar.NewWriter(w), hand: h, time: t.Truncate(time.Second), done: make(map[string]bool)}
}

// manifestEntry is the one element of manifest.json.
type manifestEntry struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func (a *archive) write(ctx context.Context, m *patch.Manifest, tag string) error {
	e := manifestEntry{Config: m.Config.Digest.Encoded() + ".json", Layers: []string{}}
	if tag != "" {
		e.RepoTags = []string{tag}
	}
	config, err := store.ReadBlob(ctx, a.hand, m.Config)
	if err != nil {
		return err
	}
	if err := a.bytes(e.Config, config); err != nil {
		return err
	}
	for _, l := range m.Layers {
		name, err := a.layer(ctx, l)
		if err != nil {
			return err
		}
		e.Layers = append(e.Layers, name)
	}
	b, err := json.Marshal([]manifestEntry{e})
	if err != nil {
		return err
	}
	if err := a.bytes("manifest.json", append(b, '\n')); err != nil {
		return err
	}
	return a.w.Close()
}

func (a *archive) bytes(name string, b []byte) error {
	if err := a.header(name, int64(len(b))); err != nil {
		return err
	}
	_, err := a.w.Write(b)
	return err
}

func (a *archive) header(name string, size int64) error {
	return a.w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: size, ModTime: a.time})
}

// layer writes a layer, once, and gives its name.
func (a *archive) layer(ctx context.Context, l patch.Layer) (string, error) {
	name := l.DiffID.Encoded() + ".tar"
	if a.done[name] {
		return name, nil
	}
	// A tar header stands in front of the content and has its size: the blob
	// is decompressed twice rather than kept anywhere.
	size, err := a.unpack(ctx, l, io.Discard)
	if err != nil {
		return "", err
	}
	if err := a.header(name, size); err != nil {
		return "", err
	}
	a.done[name] = true
	_, err = a.unpack(ctx, l, a.w)
	return name, err
}

// unpack decompresses a layer, compares it with its diff id, and gives its size.
func (a *archive) unpack(ctx context.Context, l patch.Layer, w io.Writer) (int64, error) {
	b, err := a.hand.Blob(ctx, l.Digest)
	if err != nil {
		return 0, err
	}
	r := stream(b)
	defer r.Close()
	z, err := store.Decompress(l.MediaType, verify.NewReader(r, fmt.Sprintf("layer %q", l.DiffID), l.Size, l.Digest))
	if err != nil {
		return 0, fmt.Errorf("cannot decompress layer %q: %w", l.DiffID, err)
	}
	defer z.Close()
	hash := digest.SHA256.Digester()
	n, err := verify.Copy(ctx, io.MultiWriter(w, hash.Hash()), z)
	if err != nil {
		return 0, fmt.Errorf("cannot decompress layer %q: %w", l.DiffID, err)
	}
	if got := hash.Digest(); got != l.DiffID {
		return 0, fmt.Errorf("layer %q is damaged: its diff id is %s", l.DiffID, got)
	}
	return n, nil
}
