package delta

import "github.com/flotobuild/flotobuild/delta/tarmap"

// A builder gathers operations in blocks.
type builder struct {
	target *Layer
	limit  int // of the streams of a block, in bytes
	b      *block
	begin  int64 // of the block in the target
	at     int64 // address behind the last base bytes
	gap    int64 // equal bytes of matches since the last edit
	time   int64 // of the last header
	last   operation
	header operation // that waits for what follows
	full   func(placed) error
}

// A placed block knows where in the target its bytes stand.
type placed struct {
	*block
	begin int64
}

func (w *builder) addAll(ops []operation) error {
	for _, o := range ops {
		if err := w.add(o); err != nil {
			return err
		}
	}
	return nil
}

// add appends o, which follows what was added before.
func (w *builder) add(o operation) error {
	if w.joins(o) {
		w.last.length += o.length
		return nil
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.last = o
	return nil
}

// joins says whether o only goes on with the last operation.
func (w *builder) joins(o operation) bool {
	l := &w.last
	if l.kind != o.kind || l.length == 0 {
		return false
	}
	return o.kind == opCopy && l.base+l.length == o.base || o.kind == opLiteral && l.length+o.length <= maxLiteral
}

// flush writes the last operation.
func (w *builder) flush() error {
	o := w.last
	w.last = operation{}
	if o.length == 0 {
		return nil
	}
	return w.merge(o)
}

// emit writes an operation into the block, or a new one where it might not fit.
func (w *builder) emit(o operation) error {
	if o.length == 0 {
		return nil
	}
	if w.b != nil && w.b.size()+cost(o) > w.limit {
		if err := w.close(); err != nil {
			return err
		}
	}
	if w.b == nil {
		w.b, w.begin, w.at, w.gap, w.time = &block{}, o.offset, 0, 0, 0
	}
	w.b.length += o.length
	return w.put(o)
}

// put writes o into the block.
func (w *builder) put(o operation) error {
	w.b.streams[streamKinds] = append(w.b.streams[streamKinds], o.kind)
	switch o.kind {
	case opLiteral:
		return w.literal(o)
	case opGzip:
		return w.gzip(o)
	case opHeader, opEntry:
		w.entry(o)
		return nil
	}
	w.b.putUvarint(streamLengths, o.length)
	w.b.putVarint(streamSeeks, o.base-w.at)
	if o.kind == opImage {
		return w.image(o)
	}
	w.at = o.base + o.length
	if o.kind == opMatch {
		w.edits(o)
	}
	return nil
}

// cost is the most that an operation takes in the streams.
func cost(o operation) int {
	n := 32 + 6*len(o.edits)
	if o.header != nil {
		n += tarmap.Block
	}
	if o.kind == opLiteral {
		n += int(o.length)
	}
	if o.kind == opImage {
		n += o.image.cost()
	}
	if o.kind == opGzip {
		n += o.gzip.cost()
	}
	return n
}

func (w *builder) literal(o operation) error {
	w.b.putUvarint(streamRuns, o.length)
	s := &w.b.streams[streamLiterals]
	from := len(*s)
	if o.bytes != nil {
		*s = append(*s, o.bytes...)
		return nil
	}
	*s = append(*s, make([]byte, o.length)...)
	return readFullAt(w.target.Content, (*s)[from:], o.offset)
}

func (w *builder) edits(o operation) {
	from := int64(0)
	for _, e := range o.edits {
		w.b.putUvarint(streamGaps, w.gap+int64(e.at)-from)
		w.b.streams[streamEdits] = append(w.b.streams[streamEdits], e.value)
		from, w.gap = int64(e.at)+1, 0
	}
	w.gap += o.length - from
}

// close passes the block on, if there is one.
func (w *builder) close() error {
	b := w.b
	w.b = nil
	if b == nil {
		return nil
	}
	return w.full(placed{b, w.begin})
}

// finish passes on all that was added.
func (w *builder) finish() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.merge(operation{}); err != nil {
		return err
	}
	return w.close()
}
