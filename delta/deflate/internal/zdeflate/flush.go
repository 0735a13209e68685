package zdeflate

// setDictionary starts a stream that may refer to the bytes before it, at most
// 32 KiB.
func (e *Encoder) setDictionary(p []byte) {
	p = p[max(0, len(p)-windowSize):]
	n := copy(e.window[:], p)
	if n >= minMatch {
		e.rehash(0)
		for at := range n - minMatch + 1 {
			e.insert(at)
		}
	}
	e.position, e.block = n, n
	e.pending = min(n, minMatch-1)
}

// endBlock encodes all that was written, and ends the block.
func (e *Encoder) endBlock() {
	e.finish = true
	e.run()
	e.finish = false
	e.pending = min(e.position, minMatch-1)
	if len(e.symbols) > 0 {
		e.flushBlock(false)
	}
}

// putMarker writes an empty stored block, which ends on a whole byte.
func (e *Encoder) putMarker() { e.putStored(nil, 0) }

// putEmpty writes an empty static block, of ten bits.
func (e *Encoder) putEmpty() { e.out.put(staticBlock<<1, 3+7) }
