package zdeflate

import "math/bits"

// A node is a symbol, or an inner node, of a Huffman tree under construction.
type node struct {
	freq   uint16
	parent uint16
	length uint16 // of the code; 0: the symbol does not occur
	code   uint16 // its bits reversed, as they are written
}

// A treeShape is what is fixed about one of the three trees.
type treeShape struct {
	static []node // codes of the fixed tree, for the size of a block that uses it
	extra  []uint8
	base   int // first symbol with extra bits
	size   int
	limit  int // bits of a code
}

// heapSize is the most nodes that a tree has, and one.
const heapSize = 2*literalSize + 1

// trees are the Huffman trees of the open block, and the place where they are
// built. Ties are broken by depth and by place in the heap, which decides which
// of many equally good trees is written.
type trees struct {
	literal [heapSize]node
	dist    [2*distSize + 1]node
	lengths [2*lengthsSize + 1]node

	best   int // bits of the block with the trees above
	static int // bits with the fixed trees

	counts [maxBits + 1]uint16
	heap   [heapSize]int
	used   int
	top    int // from here on the heap holds nodes in order of frequency
	depth  [heapSize]uint8
}

func (t *trees) reset() {
	for n := range literalSize {
		t.literal[n].freq = 0
	}
	for n := range distSize {
		t.dist[n].freq = 0
	}
	for n := range lengthsSize {
		t.lengths[n].freq = 0
	}
	t.literal[endOfBlock].freq = 1
	t.best, t.static = 0, 0
}

func (t *trees) buildLiteral() int {
	return t.build(t.literal[:], treeShape{staticLiterals[:], lengthExtra[:], literals + 1, literalSize, maxBits})
}

func (t *trees) buildDist() int {
	return t.build(t.dist[:], treeShape{staticDists[:], distExtra[:], 0, distSize, maxBits})
}

func (t *trees) buildLengths() {
	t.build(t.lengths[:], treeShape{nil, lengthsExtra[:], 0, lengthsSize, maxLenBits})
}

// build makes codes for the symbols of a tree by their frequency, adds their
// size to that of the block, and returns the last symbol that occurs.
func (t *trees) build(tree []node, s treeShape) int {
	last := t.collect(tree, s)
	for n := t.used / 2; n >= 1; n-- {
		t.sift(tree, n)
	}
	inner := s.size
	for {
		n := t.heap[1]
		t.heap[1] = t.heap[t.used]
		t.used--
		t.sift(tree, 1)
		m := t.heap[1]
		t.top -= 2
		t.heap[t.top+1], t.heap[t.top] = n, m
		tree[inner].freq = tree[n].freq + tree[m].freq
		t.depth[inner] = max(t.depth[n], t.depth[m]) + 1
		tree[n].parent, tree[m].parent = uint16(inner), uint16(inner)
		t.heap[1] = inner
		inner++
		t.sift(tree, 1)
		if t.used < 2 {
			break
		}
	}
	t.top--
	t.heap[t.top] = t.heap[1]
	t.assignLengths(tree, s, last)
	assignCodes(tree[:last+1], &t.counts)
	return last
}

// collect puts the symbols that occur into the heap. At least two always do, as
// PKZIP wanted it.
func (t *trees) collect(tree []node, s treeShape) int {
	t.used, t.top = 0, heapSize
	last := -1
	for n := range s.size {
		if tree[n].freq == 0 {
			tree[n].length = 0
			continue
		}
		t.used++
		t.heap[t.used] = n
		t.depth[n] = 0
		last = n
	}
	for t.used < 2 {
		n := 0
		if last < 2 {
			last++
			n = last
		}
		t.used++
		t.heap[t.used] = n
		tree[n].freq = 1
		t.depth[n] = 0
		t.best--
		if s.static != nil {
			t.static -= int(s.static[n].length)
		}
	}
	return last
}

// sift moves a heap entry down to its place.
func (t *trees) sift(tree []node, k int) {
	v := t.heap[k]
	for j := 2 * k; j <= t.used; j = 2 * k {
		if j < t.used && t.less(tree, t.heap[j+1], t.heap[j]) {
			j++
		}
		if t.less(tree, v, t.heap[j]) {
			break
		}
		t.heap[k] = t.heap[j]
		k = j
	}
	t.heap[k] = v
}

func (t *trees) less(tree []node, n, m int) bool {
	a, b := tree[n].freq, tree[m].freq
	return a < b || a == b && t.depth[n] <= t.depth[m]
}

// assignLengths sets the lengths of codes, none above the limit.
func (t *trees) assignLengths(tree []node, s treeShape, last int) {
	clear(t.counts[:])
	overflow := 0
	root := t.heap[t.top]
	tree[root].length = 0
	for _, n := range t.heap[t.top+1:] {
		length := int(tree[tree[n].parent].length) + 1
		if length > s.limit {
			length = s.limit
			overflow++
		}
		tree[n].length = uint16(length)
		if n > last {
			continue
		}
		t.counts[length]++
		t.weigh(tree[n], n, s)
	}
	if overflow > 0 {
		t.shorten(tree, s, last, overflow)
	}
}

// weigh adds what a symbol takes in the block.
func (t *trees) weigh(n node, symbol int, s treeShape) {
	extra := 0
	if symbol >= s.base {
		extra = int(s.extra[symbol-s.base])
	}
	t.best += int(n.freq) * (int(n.length) + extra)
	if s.static != nil {
		t.static += int(n.freq) * (int(s.static[symbol].length) + extra)
	}
}

// shorten moves leaves so that no code is longer than the limit, and deals the
// lengths out again.
func (t *trees) shorten(tree []node, s treeShape, last, overflow int) {
	for ; overflow > 0; overflow -= 2 {
		n := s.limit - 1
		for t.counts[n] == 0 {
			n--
		}
		t.counts[n]--
		t.counts[n+1] += 2
		t.counts[s.limit]--
	}
	h := heapSize
	for length := s.limit; length > 0; length-- {
		for n := t.counts[length]; n > 0; {
			h--
			m := t.heap[h]
			if m > last {
				continue
			}
			t.best += (length - int(tree[m].length)) * int(tree[m].freq)
			tree[m].length = uint16(length)
			n--
		}
	}
}

// assignCodes makes the canonical codes of the lengths.
func assignCodes(tree []node, counts *[maxBits + 1]uint16) {
	var next [maxBits + 1]uint16
	code := uint16(0)
	for n := 1; n <= maxBits; n++ {
		code = (code + counts[n-1]) << 1
		next[n] = code
	}
	for n := range tree {
		if l := tree[n].length; l > 0 {
			tree[n].code = bits.Reverse16(next[l]) >> (16 - l)
			next[l]++
		}
	}
}
