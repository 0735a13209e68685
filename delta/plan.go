package delta

import (
	"context"
	"path"
	"sort"

	"github.com/flotobuild/flotobuild/delta/tarmap"
)

// A segment is a part of the target, and what of the bases it is made of.
type segment struct {
	offset, length int64 // in the target
	how            int
	// base is an address: of equal bytes, of bytes that are to be compared one
	// by one, or of the content that the segment may be like.
	base int64
	// size is that of the content at base.
	size int64
}

const (
	isNew     = iota // nothing in the bases is like it
	isEqual          // it stands in the bases
	isAligned        // most of it stands in the bases, byte for byte
	isChanged        // it is like a content in the bases
	isHeader         // it is a header of a tar, like one in the bases
)

// A planner makes the segments of a target while it is read.
type planner struct {
	c        *catalog
	segments []segment
	entry    *tarmap.Entry
	votes    map[int32]int
	last     *baseFile // whose header was used last
	fileHash
}

// planTarget reads the target once and checks its digest.
func planTarget(ctx context.Context, target *Layer, c *catalog) ([]segment, error) {
	p := &planner{c: c, votes: make(map[int32]int)}
	if err := scanLayer(ctx, target, p); err != nil {
		return nil, err
	}
	return p.segments, nil
}

func (p *planner) Begin(e *tarmap.Entry) error {
	p.entry = e
	clear(p.votes)
	p.begin(p.c.seed, p.c.samples.sampler())
	return nil
}

// maxCandidates bounds the base files that votes are counted for.
const maxCandidates = 256

func (p *planner) Data(b []byte) error {
	p.data(b, func(_ int, hash uint64) {
		a, ok := p.c.samples.address(hash)
		if !ok {
			return
		}
		if n := p.c.fileAt(a - 1); n >= 0 && (len(p.votes) < maxCandidates || p.votes[n] > 0) {
			p.votes[n]++
		}
	})
	return nil
}

// fileAt gives the file whose content has the address a; -1 for none.
func (c *catalog) fileAt(a int64) int32 {
	n := sort.Search(len(c.files), func(i int) bool { return c.files[i].start > a }) - 1
	if n < 0 || a < c.files[n].content || a >= c.files[n].content+c.files[n].size {
		return -1
	}
	return int32(n)
}

func (p *planner) Finish() error {
	e := p.entry
	content := segment{offset: e.Content, length: e.Size}
	f, equal := p.choose()
	if f != nil && f.size > 0 {
		content.how, content.base, content.size = isChanged, f.content, f.size
	}
	if equal && f.size > 0 {
		content.how = isEqual
	}
	p.meta(e, f)
	p.add(content)
	return nil
}

// choose gives the base file that the entry is most like, or nil.
func (p *planner) choose() (f *baseFile, equal bool) {
	id := p.identity()
	named, ok := p.c.named[p.entry.Name]
	if ok && p.c.files[named].id == id {
		return &p.c.files[named], true
	}
	if n, ok := p.c.same[id]; ok {
		return &p.c.files[n], true
	}
	if ok && (p.c.files[named].size > 0 || id.size == 0) {
		return &p.c.files[named], false
	}
	if n, ok := p.c.alike[withoutDigits(p.entry.Name)]; ok && p.entry.Name != "" {
		return &p.c.files[n], false
	}
	for _, h := range p.sketch.hashes() {
		if n, ok := p.c.sketch[h]; ok {
			p.votes[n]++
		}
	}
	if f := p.elected(); f != nil {
		return f, false
	}
	return p.namesake(), false
}

// elected gives the file that shares most samples with the entry, and low hashes.
func (p *planner) elected() *baseFile {
	best := int32(-1)
	for n, votes := range p.votes {
		if best < 0 || votes > p.votes[best] || votes == p.votes[best] && n < best {
			best = n
		}
	}
	if best < 0 {
		return nil
	}
	return &p.c.files[best]
}

// namesake gives the file of the same base name whose size is nearest, unless
// it is very far.
func (p *planner) namesake() (f *baseFile) {
	if p.entry.Size == 0 || p.entry.Name == "" {
		return nil
	}
	all := p.c.base[path.Base(p.entry.Name)]
	for _, n := range all[:min(len(all), maxAlike)] {
		g := &p.c.files[n]
		if f == nil || apart(g.size, p.entry.Size) < apart(f.size, p.entry.Size) {
			f = g
		}
	}
	if f != nil && apart(f.size, p.entry.Size) > p.entry.Size {
		return nil
	}
	return f
}

func apart(a, b int64) int64 { return max(a-b, b-a) }

// meta plans what stands before the content: padding and headers, of which the
// last is like that of f, or, where there is no f, like the last that was found.
func (p *planner) meta(e *tarmap.Entry, f *baseFile) {
	if f == nil || f.content-f.header < tarmap.Block {
		f = p.last
	}
	header := e.Content - e.Header
	if f == nil || header < tarmap.Block || f.content-f.header < tarmap.Block {
		p.add(segment{offset: e.Start, length: e.Content - e.Start})
		return
	}
	p.last = f
	before := e.Content - tarmap.Block - e.Start
	if extended := f.content - tarmap.Block - f.start; extended >= before {
		p.add(segment{offset: e.Start, length: before, how: isAligned, base: f.content - tarmap.Block - before})
	} else {
		p.add(segment{offset: e.Start, length: before})
	}
	p.add(segment{offset: e.Content - tarmap.Block, length: tarmap.Block, how: isHeader, base: f.content - tarmap.Block})
}

func (p *planner) add(s segment) {
	if s.length > 0 {
		p.segments = append(p.segments, s)
	}
}
