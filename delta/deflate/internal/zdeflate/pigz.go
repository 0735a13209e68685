package zdeflate

import "io"

// pigzPiece is how much pigz compresses at once.
const pigzPiece = 128 << 10

// A Pigz writes what pigz writes: pieces of 128 KiB that refer to the piece
// before, each ended on a whole byte. With one thread, -p 1, it keeps the state
// of the encoder from piece to piece, and writes other bytes.
type Pigz struct {
	encoder *Encoder
	single  bool
	piece   []byte
	before  []byte // the window before the piece
	w       io.Writer
}

// NewPigz makes an encoder of a level that writes to w.
func NewPigz(w io.Writer, level int, single bool) (*Pigz, error) {
	e, err := NewEncoder(w, Config{Level: level, MemLevel: 8})
	if err != nil {
		return nil, err
	}
	return &Pigz{encoder: e, single: single, piece: make([]byte, 0, pigzPiece), w: w}, nil
}

// Write encodes p. The last piece waits for Close, as it ends the stream.
func (z *Pigz) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(z.piece) == pigzPiece {
			if err := z.next(); err != nil {
				return n - len(p), err
			}
		}
		fits := min(len(p), pigzPiece-len(z.piece))
		z.piece = append(z.piece, p[:fits]...)
		p = p[fits:]
	}
	return n, nil
}

// next writes a full piece and starts another.
func (z *Pigz) next() error {
	if err := z.begin(); err != nil {
		return err
	}
	z.encoder.endBlock()
	z.align()
	if err := z.encoder.out.flush(); err != nil {
		return err
	}
	z.before = append(z.before[:0], z.piece[len(z.piece)-windowSize:]...)
	z.piece = z.piece[:0]
	return nil
}

// begin gives the piece to the encoder.
func (z *Pigz) begin() error {
	if !z.single {
		z.encoder.Reset(z.w)
		z.encoder.setDictionary(z.before)
	}
	_, err := z.encoder.Write(z.piece)
	return err
}

// align fills up to a whole byte: with static blocks, which take less than a
// stored one, or a stored one where they would never fit.
func (z *Pigz) align() {
	out := &z.encoder.out
	if out.count&1 != 0 {
		z.encoder.putMarker()
	}
	for out.count&7 != 0 {
		z.encoder.putEmpty()
	}
	out.align()
}

// Close writes the last piece. It does not close the writer below.
func (z *Pigz) Close() error {
	if err := z.begin(); err != nil {
		return err
	}
	return z.encoder.Close()
}
