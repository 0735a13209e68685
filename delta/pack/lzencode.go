package pack

import "github.com/flotobuild/flotobuild/delta/pack/entropy"

// ahead is how many bytes the encoder looks ahead at once.
const ahead = 2048

// enough is a length that is taken without looking for better ways.
const enough = 96

// A step is the cheapest known way to a position.
type step struct {
	price    uint32
	length   int32 // of the last part of the way
	kind     int8
	old      int8 // which of the last distances, where it is again
	state    int8
	distance uint32 // less 1, where it is new
	last     [recent]uint32
}

// A repeatEncoder packs with the coder Repeats: it looks for the cheapest way
// through some bytes, with the prices of the moment, and goes it.
type repeatEncoder struct {
	entropy.Encoder
	m      *repeatModel
	b      []byte
	finder *matchFinder
	prices prices
	last   [recent]uint32
	state  int
	ways   [ahead + maxLength + 1]step
}

func packRepeats(b []byte, fast bool) []byte {
	depth := 32
	if fast {
		depth = 5
	}
	e := &repeatEncoder{m: newRepeatModel(fast, len(b)), b: b, finder: newMatchFinder(b, depth)}
	defer e.finder.release()
	e.Reset(nil)
	e.prices.compute(e.m)
	for i, computed := 0, 0; i < len(b); {
		if i-computed > 4096 || i < 1<<14 && i-computed > 512 {
			e.prices.compute(e.m)
			computed = i
		}
		i = e.part(i)
	}
	return e.Finish()
}

// part codes the cheapest way from i on, and gives where it ends.
func (e *repeatEncoder) part(i int) int {
	end := e.look(i)
	return e.walk(i, end)
}

// look finds the cheapest way from i on, as far as is sensible, and gives its
// length.
func (e *repeatEncoder) look(i int) int {
	most := min(ahead, len(e.b)-i)
	e.ways[0] = step{state: int8(e.state), last: e.last}
	known := 0 // ways that have a price
	for n := 0; n < most; n++ {
		if n > 0 {
			e.arrive(n)
		}
		known = e.room(known, n+1)
		if longest := e.from(i, n, most, &known); longest >= enough {
			return min(n+longest, known)
		}
	}
	return most
}

// room makes ways up to n infinitely dear where they have no price.
func (e *repeatEncoder) room(known, n int) int {
	for ; known < n; known++ {
		e.ways[known+1].price = 1 << 30
	}
	return known
}

// arrive computes what holds behind the n bytes whose cheapest way is known.
func (e *repeatEncoder) arrive(n int) {
	s := &e.ways[n]
	from := &e.ways[n-int(s.length)]
	s.state, s.last = int8(next(int(from.state), int(s.kind))), from.last
	switch {
	case s.kind == wasReference:
		copy(s.last[1:], from.last[:])
		s.last[0] = s.distance
	case s.kind == wasAgain && s.old > 0:
		copy(s.last[1:s.old+1], from.last[:s.old])
		s.last[0] = from.last[s.old]
	}
}

// from weighs all that may follow n bytes, and gives the longest length seen.
func (e *repeatEncoder) from(i, n, most int, known *int) (longest int) {
	s := &e.ways[n]
	state, pos, at := int(s.state), (i+n)%positions, i+n
	rest := min(most-n, maxLength)
	isReference := s.price + price(e.m.reference[state][pos], 1)
	order1, unlike := e.m.literals(e.b, at, state, s.last[0])
	e.offer(n, step{price: s.price + price(e.m.reference[state][pos], 0) + literalPrice(order1, unlike, e.b[at]), length: 1, kind: wasLiteral})
	again := isReference + price(e.m.again[state], 1)
	for old, d := range s.last {
		if int(d) >= at {
			continue
		}
		length := equalBytes(e.b[at-1-int(d):], e.b[at:], rest)
		if length == 0 {
			continue
		}
		p := again + e.olderPrice(state, pos, old)
		if old == 0 {
			e.offer(n, step{price: again + price(e.m.older[state][0], 0) + price(e.m.short[state][pos], 0), length: 1, kind: wasShort})
		}
		longest = max(longest, length)
		*known = e.room(*known, n+length)
		for l := minLength; l <= length; l++ {
			e.offer(n, step{price: p + e.prices.length[1][pos][l], length: int32(l), kind: wasAgain, old: int8(old)})
		}
	}
	isNew := isReference + price(e.m.again[state], 0)
	l := minLength
	for _, r := range e.finder.find(at) {
		length := min(r.length, rest)
		longest = max(longest, length)
		*known = e.room(*known, n+length)
		for ; l <= length; l++ {
			p := isNew + e.prices.length[0][pos][l] + e.prices.distance(l, r.distance)
			e.offer(n, step{price: p, length: int32(l), kind: wasReference, distance: r.distance})
		}
	}
	return longest
}

func (e *repeatEncoder) olderPrice(state, pos, old int) uint32 {
	if old == 0 {
		return price(e.m.older[state][0], 0) + price(e.m.short[state][pos], 1)
	}
	p := price(e.m.older[state][0], 1)
	for n := 1; n < 3 && n <= old; n++ {
		bit := 0
		if old > n {
			bit = 1
		}
		p += price(e.m.older[state][n], bit)
	}
	return p
}

// offer takes a way that goes on from n bytes, if it is the cheapest yet.
func (e *repeatEncoder) offer(n int, s step) {
	if to := &e.ways[n+int(s.length)]; s.price < to.price {
		to.price, to.length, to.kind, to.old, to.distance = s.price, s.length, s.kind, s.old, s.distance
	}
}

// walk codes the way to the n-th byte from i.
func (e *repeatEncoder) walk(i, n int) int {
	// Backwards the way is known; turn it round in the lengths of its begins.
	var turned int32
	for at := n; ; {
		length := e.ways[at].length
		e.ways[at].length = turned
		if at == 0 {
			break
		}
		turned = length
		at -= int(length)
	}
	for at := 0; at < n; {
		length := int(e.ways[at].length)
		at += length
		e.code(i+at-length, length, &e.ways[at])
	}
	return i + n
}

// code writes one part of the way.
func (e *repeatEncoder) code(i, length int, s *step) {
	pos, state := i%positions, e.state
	e.state = next(state, int(s.kind))
	if s.kind == wasLiteral {
		e.Adaptive(0, &e.m.reference[state][pos], limit)
		e.literal(i, state)
		return
	}
	e.Adaptive(1, &e.m.reference[state][pos], limit)
	if s.kind == wasReference {
		e.Adaptive(0, &e.m.again[state], limit)
		e.length(&e.m.lengths[0], pos, length-minLength)
		e.distance(length, s.distance)
		copy(e.last[1:], e.last[:])
		e.last[0] = s.distance
		return
	}
	e.Adaptive(1, &e.m.again[state], limit)
	if s.old > 0 {
		e.older(state, int(s.old))
	} else {
		e.Adaptive(0, &e.m.older[state][0], limit)
		if s.kind == wasShort {
			e.Adaptive(0, &e.m.short[state][pos], limit)
			return
		}
		e.Adaptive(1, &e.m.short[state][pos], limit)
	}
	e.length(&e.m.lengths[1], pos, length-minLength)
}

func (e *repeatEncoder) literal(i, state int) {
	order1, unlike := e.m.literals(e.b, i, state, e.last[0])
	v := e.b[i]
	switch {
	case e.m.mixer != nil:
		e.m.mixed(e, e.b[:i], order1, unlike, v)
	case unlike == nil:
		e.Nibble(v>>4, &order1[0], limit)
		e.Nibble(v&15, &order1[1+v>>4], limit)
	default:
		e.Nibble2(v>>4, &order1[0], &unlike[0], limit)
		e.Nibble2(v&15, &order1[1+v>>4], &unlike[1+v>>4], limit)
	}
}

func (e *repeatEncoder) bit(bit int, p uint32) int {
	e.Bit(bit, p)
	return bit
}

func (e *repeatEncoder) older(state, old int) {
	e.Adaptive(1, &e.m.older[state][0], limit)
	for n := 1; n < 3 && n <= old; n++ {
		bit := 0
		if old > n {
			bit = 1
		}
		e.Adaptive(bit, &e.m.older[state][n], limit)
	}
	v := e.last[old]
	copy(e.last[1:old+1], e.last[:old])
	e.last[0] = v
}

func (e *repeatEncoder) tree(p []entropy.Prob, bits, v int) {
	node := 1
	for i := bits - 1; i >= 0; i-- {
		bit := v >> i & 1
		e.Adaptive(bit, &p[node], limit)
		node = node<<1 | bit
	}
}

func (e *repeatEncoder) length(l *lengthModel, pos, n int) {
	switch {
	case n < 8:
		e.Adaptive(0, &l.choice[0], limit)
		e.tree(l.low[pos][:], 3, n)
	case n < 16:
		e.Adaptive(1, &l.choice[0], limit)
		e.Adaptive(0, &l.choice[1], limit)
		e.tree(l.middle[pos][:], 3, n-8)
	default:
		e.Adaptive(1, &l.choice[0], limit)
		e.Adaptive(1, &l.choice[1], limit)
		e.tree(l.high[:], 8, n-16)
	}
}

func (e *repeatEncoder) distance(length int, d uint32) {
	slot := slotOf(d)
	e.tree(e.m.distance[distanceSet(length)][:], 6, slot)
	if slot < 4 {
		return
	}
	switch n := slot/2 - 1; {
	case n <= 5:
		e.tree(e.m.footer[slot][:], n, int(d&(1<<n-1)))
	default:
		e.Direct(d>>alignBits, n-alignBits)
		e.tree(e.m.align[:], alignBits, int(d&(1<<alignBits-1)))
	}
}
