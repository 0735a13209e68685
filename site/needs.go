package site

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
)

// A need is a blob that a patch requires.
type need struct {
	Digest    digest.Digest
	Size      int64         // bytes
	DiffID    digest.Digest // of a layer; empty for manifests, indexes and configs
	MediaType string
	image     string // that needs it, for messages; blobs.txt does not have it
}

// needs gives the blobs that the images of a description require, each once,
// sorted by digest. Cache records and bases are for builders, not for sites.
func needs(d *patch.Description) ([]need, error) {
	all := make(map[digest.Digest]need)
	for _, i := range d.Flotobuild.Images {
		add := func(b ocispec.Descriptor, diffID digest.Digest) error {
			n := need{b.Digest, b.Size, diffID, b.MediaType, i.Name}
			if old, ok := all[b.Digest]; ok && (old.Size != n.Size || old.DiffID != n.DiffID) {
				return fmt.Errorf("description is wrong: blob %q has %d bytes and diff id %q for image %q, and %d and %q for image %q", b.Digest, n.Size, n.DiffID, i.Name, old.Size, old.DiffID, old.image)
			} else if !ok {
				all[b.Digest] = n
			}
			return nil
		}
		if err := eachBlob(i, add); err != nil {
			return nil, err
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b need) int { return strings.Compare(string(a.Digest), string(b.Digest)) }), nil
}

func eachBlob(i patch.Image, f func(b ocispec.Descriptor, diffID digest.Digest) error) error {
	if err := f(i.Descriptor, ""); err != nil {
		return err
	}
	for _, m := range i.Manifests {
		for _, b := range []ocispec.Descriptor{m.Descriptor, m.Config} {
			if err := f(b, ""); err != nil {
				return err
			}
		}
		for _, l := range m.Layers {
			if err := f(l.Descriptor(), l.DiffID); err != nil {
				return err
			}
		}
	}
	return nil
}

// encodeNeeds gives the content of blobs.txt: digest, size, media type and,
// for layers, the diff id.
func encodeNeeds(all []need) []byte {
	var b bytes.Buffer
	for _, n := range all {
		fmt.Fprintf(&b, "%s %d %s", n.Digest, n.Size, mediaWord(n.MediaType))
		if n.DiffID != "" {
			fmt.Fprintf(&b, " %s", n.DiffID)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// mediaWord is a media type without what would break the line.
func mediaWord(mediaType string) string {
	if mediaType == "" || len(mediaType) > 255 || strings.ContainsAny(mediaType, " \t\r\n\v\f") {
		return "-"
	}
	return mediaType
}

// readNeeds reads the blobs.txt of a patch.
func (s *Site) readNeeds(id string) ([]need, error) {
	name, err := s.patchPath(id, blobsFile)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []need
	for lines := bufio.NewScanner(f); ; {
		if !lines.Scan() {
			return out, lines.Err()
		}
		n, err := parseNeed(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("%q is damaged: %w", name, err)
		}
		out = append(out, n)
	}
}

func parseNeed(line string) (need, error) {
	words := strings.Split(line, " ")
	if len(words) != 3 && len(words) != 4 {
		return need{}, fmt.Errorf("a line has %d words", len(words))
	}
	n := need{Digest: digest.Digest(words[0]), MediaType: words[2]}
	if err := verify.CheckDigest(n.Digest); err != nil {
		return n, err
	}
	if len(words) == 4 {
		n.DiffID = digest.Digest(words[3])
		if err := verify.CheckDigest(n.DiffID); err != nil {
			return n, err
		}
	}
	var err error
	n.Size, err = strconv.ParseInt(words[1], 10, 64)
	return n, err
}

// lacking gives those of the blobs that the store does not have.
func (s *Site) lacking(all []need) ([]need, error) {
	var out []need
	for _, n := range all {
		ok, err := s.blobs.Has(n.Digest, n.Size)
		if err != nil {
			return nil, err
		}
		if !ok {
			out = append(out, n)
		}
	}
	return out, nil
}

// layers gives the blobs of the layers of all patches by diff id, and the diff
// ids by blob: what was checked when they came.
func (s *Site) layers() (byDiffID map[digest.Digest]ocispec.Descriptor, diffIDs map[digest.Digest]digest.Digest, err error) {
	records, err := s.records()
	if err != nil {
		return nil, nil, err
	}
	byDiffID, diffIDs = make(map[digest.Digest]ocispec.Descriptor), make(map[digest.Digest]digest.Digest)
	for _, r := range records {
		all, err := s.readNeeds(r.ID)
		if err != nil {
			return nil, nil, err
		}
		for _, n := range all {
			if n.DiffID != "" {
				byDiffID[n.DiffID] = ocispec.Descriptor{MediaType: n.MediaType, Digest: n.Digest, Size: n.Size}
				diffIDs[n.Digest] = n.DiffID
			}
		}
	}
	return byDiffID, diffIDs, nil
}

// Layers gives the blobs of all layers by diff id, with their media types.
func (s *Site) Layers() (map[digest.Digest]ocispec.Descriptor, error) {
	m, _, err := s.layers()
	if err != nil {
		return nil, fmt.Errorf("cannot list the layers of site %q: %w", s.Name(), err)
	}
	return m, nil
}
