package zdeflate

// runFast encodes without looking for a better match at the next byte.
func (e *Encoder) runFast() {
	for !e.starved() {
		before := 0
		if e.lookahead >= minMatch {
			before = e.insert(e.position)
		}
		e.length = minMatch - 1
		if before != 0 && e.position-before <= maxDistance && !e.blind() {
			e.length = e.longestMatch(before)
		}
		full := false
		if e.length >= minMatch {
			full = e.tallyMatch(e.position-e.match, e.length)
			e.skip()
		} else {
			full = e.tallyLiteral(e.window[e.position])
			e.lookahead--
			e.position++
		}
		if full {
			e.flushBlock(false)
		}
	}
}

// skip goes behind the match at the position. Only strings of short matches
// are inserted.
func (e *Encoder) skip() {
	e.lookahead -= e.length
	if e.length > e.effort.lazy || e.lookahead < minMatch {
		e.position += e.length
		e.rehash(e.position)
		return
	}
	for end := e.position + e.length; ; {
		e.position++
		if e.position == end {
			return
		}
		e.insert(e.position)
	}
}

// runLazy encodes and takes a match only if the next byte has no better one.
func (e *Encoder) runLazy() {
	for !e.starved() {
		before := 0
		if e.lookahead >= minMatch {
			before = e.insert(e.position)
		}
		e.lastLength, e.lastMatch = e.length, e.match
		e.length = minMatch - 1
		if before != 0 && e.lastLength < e.effort.lazy && e.position-before <= maxDistance && !e.blind() {
			e.length = e.longestMatch(before)
			if e.length == minMatch && e.position-e.match > tooFar {
				e.length = minMatch - 1
			}
		}
		switch {
		case e.lastLength >= minMatch && e.length <= e.lastLength:
			e.takeLast()
		case e.literalOpen:
			if e.tallyLiteral(e.window[e.position-1]) {
				e.flushBlock(false)
			}
			e.position++
			e.lookahead--
		default:
			e.literalOpen = true
			e.position++
			e.lookahead--
		}
	}
	if e.finish && e.literalOpen {
		e.tallyLiteral(e.window[e.position-1])
		e.literalOpen = false
	}
}

// takeLast writes the match at the byte before the position, and goes behind
// it.
func (e *Encoder) takeLast() {
	lastInsert := e.position + e.lookahead - minMatch
	full := e.tallyMatch(e.position-1-e.lastMatch, e.lastLength)
	e.lookahead -= e.lastLength - 1
	for range e.lastLength - 2 {
		e.position++
		if e.position <= lastInsert {
			e.insert(e.position)
		}
	}
	e.literalOpen = false
	e.length = minMatch - 1
	e.position++
	if full {
		e.flushBlock(false)
	}
}
