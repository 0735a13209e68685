package zdeflate

import "io"

const (
	minMatch     = 3
	maxMatch     = 258
	minLookahead = maxMatch + minMatch + 1
	windowSize   = 1 << 15
	windowMask   = windowSize - 1
	maxDistance  = windowSize - minLookahead
	tooFar       = 4096 // matches of length 3 are not used beyond this distance
	loadSlack    = 8    // lets eight bytes be loaded at the window's last one
)

// An Encoder writes a raw deflate stream, without header and trailer. Its
// memory is bounded: about 300 KiB, 450 KiB for GNU gzip's. What it writes does
// not depend on how its input is cut into calls of Write.
type Encoder struct {
	config Config
	effort effort
	out    bitWriter

	// The window holds 32 KiB behind and up to 32 KiB before the position.
	// Positions in head and prev are its indexes; 0 stands for none.
	window    [2*windowSize + loadSlack]byte
	position  int
	lookahead int // bytes that are there from position on
	pending   int // bytes before position that are not yet in the hash table
	block     int // where the open block starts; negative when it left the window
	finish    bool
	ended     bool // GNU gzip has seen the end

	hash      uint32
	hashMask  uint32
	hashShift uint32
	head      []uint16
	prev      [windowSize]uint16

	length      int // of the match at position
	match       int // its place
	lastLength  int // of the match at the byte before
	lastMatch   int
	literalOpen bool // the byte before is not written yet

	trees   trees
	symbols []Symbol
	matches int // symbols that are matches
}

// NewEncoder makes an encoder that writes to w as c says.
func NewEncoder(w io.Writer, c Config) (*Encoder, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	e := &Encoder{config: c, effort: effortOf(c.Level)}
	e.head = make([]uint16, 1<<c.hashBits())
	e.hashMask = uint32(len(e.head) - 1)
	e.hashShift = uint32(c.hashBits()+minMatch-1) / minMatch
	e.symbols = make([]Symbol, 0, c.symbols())
	e.Reset(w)
	return e, nil
}

// Reset starts a new stream on w. The encoder's memory is used again.
func (e *Encoder) Reset(w io.Writer) {
	e.out.reset(w)
	if e.config.GNU {
		clear(e.window[:]) // GNU gzip looks beyond the end of its input
	}
	clear(e.head)
	e.position, e.lookahead, e.pending, e.block = 0, 0, 0, 0
	e.finish, e.ended, e.literalOpen, e.hash = false, false, false, 0
	e.length, e.match, e.lastLength, e.lastMatch = minMatch-1, 0, minMatch-1, 0
	e.startBlock()
}

// Write encodes p. Bytes stay in the window until it is full.
func (e *Encoder) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		p = p[e.fill(p):]
		if e.position+e.lookahead == 2*windowSize {
			e.run()
		}
		if e.out.err != nil {
			return n - len(p), e.out.err
		}
	}
	return n, nil
}

// Close writes what is left and the last block. It does not close the writer
// below.
func (e *Encoder) Close() error {
	e.finish = true
	e.run()
	e.flushBlock(true)
	e.out.align()
	return e.out.flush()
}

// run encodes until more input is needed.
func (e *Encoder) run() {
	if e.config.Level <= lastFast {
		e.runFast()
	} else {
		e.runLazy()
	}
}

// starved tells whether encoding has to stop for more input. The full
// lookahead is kept until the input ends, as matches may reach that far.
func (e *Encoder) starved() bool {
	if e.out.err != nil {
		return true
	}
	if e.lookahead >= minLookahead {
		return false
	}
	if !e.ended {
		e.slide()
	}
	if e.finish && e.config.GNU && !e.ended {
		e.ended = true
		end := e.position + e.lookahead
		clear(e.window[end:min(end+minMatch-1, 2*windowSize)])
	}
	return !e.finish || e.lookahead == 0
}

// blind tells whether no match may be looked for: GNU gzip does not slide the
// window after it has seen the end of its input, and stops short of its edge.
func (e *Encoder) blind() bool {
	return e.ended && e.position > 2*windowSize-minLookahead
}

// fill takes into the window what fits of p, and returns its length.
func (e *Encoder) fill(p []byte) int {
	if e.lookahead < minLookahead {
		e.slide()
	}
	n := copy(e.window[e.position+e.lookahead:2*windowSize], p)
	e.lookahead += n
	e.insertPending()
	return n
}

// slide moves the window's upper half down when the position nears the end.
func (e *Encoder) slide() {
	if e.position < windowSize+maxDistance {
		return
	}
	copy(e.window[:windowSize], e.window[windowSize:2*windowSize])
	e.match -= windowSize
	e.position -= windowSize
	e.block -= windowSize
	slideTable(e.head)
	slideTable(e.prev[:])
}

func slideTable(t []uint16) {
	for i, p := range t {
		if p >= windowSize {
			t[i] = p - windowSize
		} else {
			t[i] = 0
		}
	}
}
