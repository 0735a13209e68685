package zdeflate

const (
	storedBlock = iota
	staticBlock
	dynamicBlock
)

// A Symbol is a literal, or a match.
type Symbol struct {
	Dist  uint16 // 0: a literal
	Value uint8  // the literal, or the length less 3
}

func (e *Encoder) startBlock() {
	e.trees.reset()
	e.symbols = e.symbols[:0]
	e.matches = 0
}

// tallyLiteral adds a literal to the block, and tells whether it is full.
func (e *Encoder) tallyLiteral(b byte) bool {
	e.symbols = append(e.symbols, Symbol{0, b})
	e.trees.literal[b].freq++
	return e.full()
}

// tallyMatch adds a match to the block, and tells whether it is full.
func (e *Encoder) tallyMatch(dist, length int) bool {
	v := uint8(length - minMatch)
	e.symbols = append(e.symbols, Symbol{uint16(dist), v})
	e.matches++
	e.trees.literal[int(lengthCode[v])+literals+1].freq++
	e.trees.dist[distCode(uint16(dist-1))].freq++
	return e.full()
}

// full tells whether the block ends. GNU gzip also looks now and then whether
// the block compresses well enough to be ended, a heuristic that stands in
// zlib's source too but is not compiled.
func (e *Encoder) full() bool {
	n := len(e.symbols)
	if n == e.config.symbols() {
		return true
	}
	if !e.config.GNU || n&(gnuLook-1) != 0 || e.config.Level <= gnuLookLevel || e.matches >= n/2 {
		return false
	}
	size := 8 * n
	for c := range distSize {
		size += int(e.trees.dist[c].freq) * (5 + int(distExtra[c]))
	}
	return size>>3 < (e.position-e.block)/2
}

const (
	gnuLook      = 1 << 12
	gnuLookLevel = 2
)

// flushBlock writes the block in the shortest of the three ways.
func (e *Encoder) flushBlock(last bool) {
	lastLiteral := e.trees.buildLiteral()
	lastDist := e.trees.buildDist()
	lengths := e.buildLengths(lastLiteral, lastDist)
	best, static := (e.trees.best+3+7)>>3, (e.trees.static+3+7)>>3
	best = min(best, static)
	final := uint32(0)
	if last {
		final = 1
	}
	stored := e.position - e.block
	switch {
	case stored+4 <= best && e.block >= 0:
		e.putStored(e.window[e.block:e.position], final)
	case best == static:
		e.out.put(staticBlock<<1|final, 3)
		e.putSymbols(staticLiterals[:], staticDists[:])
	default:
		e.out.put(dynamicBlock<<1|final, 3)
		e.putTrees(lastLiteral, lastDist, lengths)
		e.putSymbols(e.trees.literal[:], e.trees.dist[:])
	}
	e.block = e.position
	e.startBlock()
}

func (e *Encoder) putStored(p []byte, final uint32) {
	e.out.put(storedBlock<<1|final, 3)
	e.out.align()
	n := uint32(len(p))
	e.out.put(n|^n<<16, 32)
	e.out.bytes(p)
}

// buildLengths builds the tree of code lengths, and returns how many of its
// codes are written.
func (e *Encoder) buildLengths(lastLiteral, lastDist int) int {
	t := &e.trees
	count := func(code uint8, _ uint32, _ uint) { t.lengths[code].freq++ }
	runLengths(t.literal[:lastLiteral+1], count)
	runLengths(t.dist[:lastDist+1], count)
	t.buildLengths()
	n := lengthsSize
	for n > minLengthsCodes && t.lengths[lengthsOrder[n-1]].length == 0 {
		n--
	}
	t.best += 3*n + 5 + 5 + 4
	return n
}

func (e *Encoder) putTrees(lastLiteral, lastDist, lengths int) {
	t := &e.trees
	e.out.put(uint32(lastLiteral+1-257), 5)
	e.out.put(uint32(lastDist), 5)
	e.out.put(uint32(lengths-minLengthsCodes), 4)
	for _, c := range lengthsOrder[:lengths] {
		e.out.put(uint32(t.lengths[c].length), 3)
	}
	put := func(code uint8, extra uint32, bits uint) {
		n := t.lengths[code]
		e.out.put(uint32(n.code)|extra<<n.length, uint(n.length)+bits)
	}
	runLengths(t.literal[:lastLiteral+1], put)
	runLengths(t.dist[:lastDist+1], put)
}

// runLengths says a tree's code lengths in codes of the tree of lengths, with
// their extra bits.
func runLengths(tree []node, say func(code uint8, extra uint32, bits uint)) {
	last := uint16(1 << 15) // none
	for n := 0; n < len(tree); {
		length := tree[n].length
		most := maxRepeatLong
		if length > 0 {
			most = maxRepeat + 1
			if length == last {
				most = maxRepeat
			}
		}
		run := 1
		for run < most && n+run < len(tree) && tree[n+run].length == length {
			run++
		}
		n += run
		sayRun(uint8(length), run, length == last, say)
		last = length
	}
}

func sayRun(length uint8, run int, again bool, say func(code uint8, extra uint32, bits uint)) {
	least := minRepeat
	if length > 0 && !again {
		least++
	}
	switch {
	case run < least:
		for range run {
			say(length, 0, 0)
		}
	case length > 0:
		if !again {
			say(length, 0, 0)
			run--
		}
		say(repeatLast, uint32(run-minRepeat), 2)
	case run <= maxRepeatZero:
		say(repeatZero, uint32(run-minRepeat), 3)
	default:
		say(repeatZeroLong, uint32(run-minRepeatLong), 7)
	}
}

func (e *Encoder) putSymbols(literal, dist []node) {
	for _, s := range e.symbols {
		if s.Dist == 0 {
			n := &literal[s.Value]
			e.out.put(uint32(n.code), uint(n.length))
			continue
		}
		c := lengthCode[s.Value]
		n := &literal[int(c)+literals+1]
		e.out.put(uint32(n.code)|uint32(s.Value-lengthBase[c])<<n.length, uint(n.length)+uint(lengthExtra[c]))
		d := s.Dist - 1
		c = distCode(d)
		n = &dist[c]
		e.out.put(uint32(n.code)|uint32(d-distBase[c])<<n.length, uint(n.length)+uint(distExtra[c]))
	}
	n := &literal[endOfBlock]
	e.out.put(uint32(n.code), uint(n.length))
}
