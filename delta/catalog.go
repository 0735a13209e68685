package delta

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"io"
	"path"
	"strings"

	"github.com/flotobuild/flotobuild/delta/tarmap"
	"github.com/flotobuild/flotobuild/internal/verify"
)

// An identity tells contents apart: equal ones have equal identities. Others
// have them so seldom that comparing, which comes later, may fail on it.
type identity struct {
	sum  uint64
	size int64
}

// A baseFile is an entry of a base; offsets are addresses.
type baseFile struct {
	start, header, content, size int64
	id                           identity
	name                         string
}

// A catalog is what is known of the bases: their entries, found by content, by
// name and by samples of content.
type catalog struct {
	seed    maphash.Seed
	files   []baseFile // by address
	same    map[identity]int32
	named   map[string]int32 // the last with a path, which is the one on top
	alike   map[string]int32 // by the path with its digits taken out
	base    map[string][]int32
	sketch  map[uint64]int32 // the first with a hash in its sketch
	samples *samples
}

// maxAlike bounds how many files of one base name are weighed.
const maxAlike = 16

// scanBases reads all bases once and checks their digests.
func scanBases(ctx context.Context, bases *space, memory int64) (*catalog, error) {
	c := &catalog{
		seed:    maphash.MakeSeed(),
		same:    make(map[identity]int32),
		named:   make(map[string]int32),
		alike:   make(map[string]int32),
		base:    make(map[string][]int32),
		sketch:  make(map[uint64]int32),
		samples: newSamples(bases.size(), memory/24),
	}
	for i := range bases.layers {
		v := &baseVisitor{c: c, origin: bases.starts[i]}
		if err := scanLayer(ctx, &bases.layers[i], v); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// scanLayer has v visit the entries, and refuses a layer whose digest is not
// what it is said to be.
func scanLayer(ctx context.Context, l *Layer, v tarmap.Visitor) error {
	sum := sha256.New()
	r := io.TeeReader(verify.ContextReader(ctx, io.NewSectionReader(l.Content, 0, l.Size)), sum)
	if err := tarmap.Scan(r, v); err != nil {
		return fmt.Errorf("cannot read layer %q: %w", l.Digest, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != l.Digest.Encoded() {
		return fmt.Errorf("%w: layer %q has the digest sha256:%s", ErrWrongBase, l.Digest, got)
	}
	return nil
}

// A fileHash makes the identity of a file and its samples, in passing.
type fileHash struct {
	hash maphash.Hash
	sampler
	sketch sketch
	size   int64
}

func (h *fileHash) begin(seed maphash.Seed, s sampler) {
	h.hash.SetSeed(seed)
	h.sampler, h.size = s, 0
	h.sketch.reset()
}

func (h *fileHash) data(p []byte, found func(i int, hash uint64)) {
	_, _ = h.hash.Write(p) // never fails
	h.pick(p, &h.sketch, found)
	h.size += int64(len(p))
}

func (h *fileHash) identity() identity { return identity{h.hash.Sum64(), h.size} }

// A baseVisitor enters a base into the catalog.
type baseVisitor struct {
	c      *catalog
	origin int64 // of the base in the space
	entry  *tarmap.Entry
	fileHash
}

func (v *baseVisitor) Begin(e *tarmap.Entry) error {
	v.entry = e
	v.begin(v.c.seed, v.c.samples.sampler())
	return nil
}

func (v *baseVisitor) Data(p []byte) error {
	from := v.origin + v.entry.Content + v.size + 1
	v.data(p, func(i int, hash uint64) { v.c.samples.add(hash, from+int64(i)) })
	return nil
}

func (v *baseVisitor) Finish() error {
	e := v.entry
	for _, h := range v.sketch.hashes() {
		if _, ok := v.c.sketch[h]; !ok {
			v.c.sketch[h] = int32(len(v.c.files))
		}
	}
	v.c.add(baseFile{
		start: v.origin + e.Start, header: v.origin + e.Header, content: v.origin + e.Content, size: e.Size,
		id: v.identity(), name: e.Name,
	})
	return nil
}

func (c *catalog) add(f baseFile) {
	n := int32(len(c.files))
	c.files = append(c.files, f)
	if _, ok := c.same[f.id]; !ok && f.size > 0 {
		c.same[f.id] = n
	}
	if f.name == "" {
		return
	}
	c.named[f.name] = n
	c.alike[withoutDigits(f.name)] = n
	if f.size > 0 {
		b := path.Base(f.name)
		c.base[b] = append(c.base[b], n)
	}
}

// withoutDigits makes one name of those that differ in a version.
func withoutDigits(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; c < '0' || c > '9' {
			b.WriteByte(c)
		} else if i == 0 || name[i-1] < '0' || name[i-1] > '9' {
			b.WriteByte('0')
		}
	}
	return b.String()
}
