package delta

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// DefaultMemory is what Create takes where it is not told otherwise.
const DefaultMemory = 768 << 20

// minMemory is the least that Create works with; it takes it even if it is told
// to take less.
const minMemory = 64 << 20

// perWorker is what goroutines take that make a block and compare files beside.
const perWorker = 192 << 20

// applyMemory is what applying takes: a block's streams, packed and unpacked,
// and what a file of it takes besides.
const applyMemory = 128 << 20

// blockLimit is how much the streams of a block have, but for single operations.
const blockLimit = maxBlock / 3

// Options are what Create may be given besides. The delta depends on Memory, and
// not on Parallel.
type Options struct {
	// Memory is how many bytes Create may take, roughly; 0 for DefaultMemory.
	// Less makes larger deltas where files are large. To keep to it, Create
	// collects garbage when the program's heap has grown by too much.
	Memory int64
	// Parallel is how many goroutines work; 0 for one for each processor. With
	// little memory there are fewer.
	Parallel int
	// Progress is told how many more bytes of the target are dealt with; nil
	// for nobody.
	Progress func(n int64)
}

// Info tells of a delta that was made.
type Info struct {
	Header
	// Size is how many bytes the delta has.
	Size int64
}

// errUnequal is a delta that does not give its target back.
var errUnequal = errors.New("the delta does not make the layer again")

// Create writes a delta that makes target out of bases to w. Equal layers,
// equal bases in equal order and equal memory give equal bytes.
//
// Layers are read several times. Their digests are checked, and what is written
// has been applied and compared with the target before. The delta is complete
// when Create returns no error, and worthless before. Bases that are of no use
// are not named in it. A delta may be larger than the target packed in other
// ways: [Info] tells.
//
// Who makes several deltas against the same bases takes an [Index].
func Create(ctx context.Context, w io.Writer, target Layer, bases []Layer, o Options) (*Info, error) {
	x, err := NewIndex(ctx, bases, o)
	if err != nil {
		return nil, fmt.Errorf("cannot make delta for layer %q: %w", target.Digest, err)
	}
	return x.Create(ctx, w, target, o.Progress)
}

// An Index is what is known of bases, so that they are searched once for several
// targets. It stays in memory, with a part of what Options allow. It is safe for
// concurrent use, where each Create takes the memory that Options allow.
type Index struct {
	bases   *space
	catalog *catalog
	o       Options
}

// NewIndex reads the bases once and checks their digests. It tells no progress.
func NewIndex(ctx context.Context, bases []Layer, o Options) (*Index, error) {
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	o.Memory = max(o.Memory, minMemory)
	if o.Parallel <= 0 {
		o.Parallel = runtime.GOMAXPROCS(0)
	}
	o.Parallel = min(o.Parallel, max(int(o.Memory/perWorker), 1))
	all := newSpace(bases)
	c, err := scanBases(ctx, all, o.Memory)
	if err != nil {
		return nil, err
	}
	return &Index{bases: all, catalog: c, o: o}, nil
}

// Create is the function Create with the bases and options of the index.
// progress is told of this target; nil for nobody.
func (x *Index) Create(ctx context.Context, w io.Writer, target Layer, progress func(n int64)) (*Info, error) {
	c := &creator{w: w, target: &target, o: x.o, heap: newHeap(x.o.Memory)}
	c.o.Progress = progress
	if err := c.create(ctx, x); err != nil {
		return nil, fmt.Errorf("cannot make delta for layer %q: %w", target.Digest, err)
	}
	return &c.info, nil
}

type creator struct {
	w      io.Writer
	target *Layer
	bases  *space
	o      Options
	heap   *heap
	info   Info
}

func (c *creator) create(ctx context.Context, x *Index) error {
	segments, err := planTarget(ctx, c.target, x.catalog)
	if err != nil {
		return err
	}
	c.bases = x.bases.narrow(segments)
	if err := c.header(); err != nil {
		return err
	}
	if err := c.run(ctx, segments); err != nil {
		return err
	}
	return c.emit(appendFrame(nil, nil))
}

// run makes the blocks: operations out of segments, streams out of operations,
// frames out of streams, each step beside the others.
func (c *creator) run(ctx context.Context, segments []segment) error {
	g, ctx := errgroup.WithContext(ctx)
	blocks := newPipe(ctx, g, c.o.Parallel, c.encode, c.write)
	build := &builder{target: c.target, limit: blockLimit, full: blocks.put}
	newDiffer := func() *differ {
		return &differ{ctx: ctx, target: c.target, bases: c.bases, window: c.window(), check: c.heap.check}
	}
	small, large := &pool[*differ]{make: newDiffer}, make(chan *differ, 1)
	large <- newDiffer()
	units := newPipe(ctx, g, c.o.Parallel, func(_ context.Context, unit []segment) ([]operation, error) {
		c.heap.check()
		if isLarge(unit, c.o.Memory) {
			d := <-large
			defer func() { large <- d }()
			return d.diff(unit)
		}
		d := small.get()
		defer small.put(d)
		return d.diff(unit)
	}, build.addAll)
	units.end = func() error {
		defer blocks.close()
		return build.finish()
	}
	g.Go(func() error {
		defer units.close()
		for unit := range unitsOf(segments) {
			if err := units.put(unit); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// isLarge says that comparing the files of a unit takes much of the memory, so
// that one goroutine at a time does it.
func isLarge(unit []segment, memory int64) bool {
	for _, s := range unit {
		if s.how == isChanged && s.length+s.size > memory/64 {
			return true
		}
	}
	return false
}

// unitWork is how many bytes are compared in a unit, but for large files.
const unitWork = 2 << 20

// unitsOf divides the segments into what one goroutine is to do at a time.
func unitsOf(segments []segment) iter.Seq[[]segment] {
	return func(yield func([]segment) bool) {
		from, work := 0, int64(0)
		for i, s := range segments {
			if s.how != isEqual {
				work += s.length
			}
			if work < unitWork && i+1 < len(segments) {
				continue
			}
			if !yield(segments[from : i+1]) {
				return
			}
			from, work = i+1, 0
		}
	}
}

// header writes the header.
func (c *creator) header() error {
	c.info.Target = c.target.Descriptor
	c.info.Bases = make([]Descriptor, 0, len(c.bases.layers))
	for _, l := range c.bases.layers {
		c.info.Bases = append(c.info.Bases, l.Descriptor)
	}
	c.info.Memory = applyMemory
	b, err := c.info.bytes()
	if err != nil {
		return err
	}
	return c.emit(b)
}

func (c *creator) emit(b []byte) error {
	c.info.Size += int64(len(b))
	_, err := c.w.Write(b)
	return err
}

// window is how much of a file is compared at once.
func (c *creator) window() int64 { return c.o.Memory / 24 }

// narrow leaves out the layers that no segment uses, and moves the addresses in
// segments accordingly.
func (s *space) narrow(segments []segment) *space {
	used := make([]bool, len(s.layers))
	for _, g := range segments {
		if g.how != isNew {
			used[s.layerAt(g.base)] = true
		}
	}
	var layers []Layer
	moved := make([]int64, len(s.layers))
	var gone int64
	for i, l := range s.layers {
		moved[i] = gone
		if used[i] {
			layers = append(layers, l)
		} else {
			gone += l.Size
		}
	}
	for i := range segments {
		if g := &segments[i]; g.how != isNew {
			g.base -= moved[s.layerAt(g.base)]
		}
	}
	return newSpace(slices.Clip(layers))
}
