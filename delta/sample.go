package delta

import (
	"math/bits"
	"slices"
)

// A sampler picks positions by the 64 bytes before them, so that equal bytes
// are sampled alike wherever they stand. It is a rolling hash of the kind
// called gear: every byte moves the hash left and adds a number of its own.
type sampler struct {
	hash  uint64
	shift uint // a position in 1<<(64-shift) is picked
}

// A sketch has the lowest hashes of a file, whatever its length: files that are
// much alike share some.
type sketch struct {
	lowest [8]uint64 // ascending
}

func (k *sketch) reset() {
	for i := range k.lowest {
		k.lowest[i] = 1<<64 - 1
	}
}

func (k *sketch) add(h uint64) {
	i := len(k.lowest) - 1
	for ; i > 0 && k.lowest[i-1] > h; i-- {
		k.lowest[i] = k.lowest[i-1]
	}
	k.lowest[i] = h
}

// hashes gives those that there are.
func (k *sketch) hashes() []uint64 {
	n := len(k.lowest)
	for n > 0 && k.lowest[n-1] == 1<<64-1 {
		n--
	}
	return k.lowest[:n]
}

// pick calls found with the index and the hash of every sample in p, and notes
// low hashes.
func (s *sampler) pick(p []byte, k *sketch, found func(i int, hash uint64)) {
	h := s.hash
	for i, c := range p {
		h = h<<1 + gear[c]
		if h < k.lowest[len(k.lowest)-1] && !slices.Contains(k.lowest[:], h) {
			k.add(h)
		}
		if h>>s.shift == 0 {
			found(i, h)
		}
	}
	s.hash = h
}

// gear has a number without pattern for every byte: those of SplitMix64.
var gear = func() (g [256]uint64) {
	var state uint64
	for i := range g {
		state += 0x9E3779B97F4A7C15
		z := state
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		g[i] = z ^ z>>31
	}
	return g
}()

// samples say where in the bases the bytes before a sample stand first. Their
// memory is fixed when they are made.
type samples struct {
	shift uint
	mask  uint64
	slots []uint64 // address<<tagBits | tag; 0 when free
	free  int
}

const (
	tagBits = 64 - 44 // maxSize is 1<<44
	// rarest and densest bound how many positions one is picked of.
	rarest, densest = 1 << 20, 1 << 6
)

// newSamples makes a table for bases of size bytes in at most memory bytes.
func newSamples(size, memory int64) *samples {
	slots := uint64(1) << (bits.Len64(uint64(max(memory/8, 1024))) - 1)
	every := int64(densest)
	for every < rarest && size/every > int64(slots/2) {
		every *= 2
	}
	for slots > 1024 && int64(slots/4) > size/every {
		slots /= 2
	}
	return &samples{
		shift: uint(64 - bits.TrailingZeros64(uint64(every))),
		mask:  slots - 1,
		slots: make([]uint64, slots),
		free:  int(slots / 4 * 3),
	}
}

func (t *samples) sampler() sampler { return sampler{hash: 0, shift: t.shift} }

// find gives the slot of a hash: where it stands, or is to stand.
func (t *samples) find(hash uint64) (slot uint64, tag uint64) {
	hash *= 0x9E3779B97F4A7C15
	tag = hash >> (64 - tagBits)
	slot = hash >> 8 & t.mask
	for t.slots[slot] != 0 && t.slots[slot]&(1<<tagBits-1) != tag {
		slot = (slot + 1) & t.mask
	}
	return slot, tag
}

// add notes that the bytes before address have this hash.
func (t *samples) add(hash uint64, address int64) {
	if slot, tag := t.find(hash); t.slots[slot] == 0 && t.free > 0 {
		t.slots[slot] = uint64(address)<<tagBits | tag
		t.free--
	}
}

// address says where the bytes with this hash stand; ok may be wrong.
func (t *samples) address(hash uint64) (address int64, ok bool) {
	slot, _ := t.find(hash)
	return int64(t.slots[slot] >> tagBits), t.slots[slot] != 0
}
