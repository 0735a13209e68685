package deflate

import (
	"bytes"
	"errors"
	"io"
)

// errDiffers ends an encoder whose output is not what is wanted.
var errDiffers = errors.New("the encoder's output differs")

// maxTape bounds the compressed bytes that wait to be compared, and maxAhead
// those that an encoder writes before they were read. Encoders keep less than
// a tenth of that.
const (
	maxTape  = 8 << 20
	maxAhead = 1 << 18
)

// A tape passes compressed bytes on and keeps those that encoders have not
// reached yet.
type tape struct {
	r     io.Reader
	start int64 // where the first byte kept lies
	kept  []byte
	err   error // of reading, but for the end
}

func (t *tape) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.kept = append(t.kept, p[:n]...)
	if err != nil && !errors.Is(err, io.EOF) {
		t.err = err
	}
	return n, err
}

func (t *tape) end() int64 { return t.start + int64(len(t.kept)) }

// forget drops what lies before a place.
func (t *tape) forget(before int64) {
	n := int(before - t.start)
	if n < len(t.kept)/2 {
		return
	}
	t.kept = append(t.kept[:0], t.kept[n:]...)
	t.start = before
}

// A comparison takes an encoder's output and holds it against the tape.
type comparison struct {
	tape  *tape
	at    int64
	ahead []byte // output beyond the tape's end
}

// Write fails with errDiffers at the first byte that is not on the tape.
func (c *comparison) Write(p []byte) (int, error) {
	c.ahead = append(c.ahead, p...)
	if !c.catchUp() || len(c.ahead) > maxAhead {
		return 0, errDiffers
	}
	return len(p), nil
}

// catchUp compares what the tape has by now.
func (c *comparison) catchUp() bool {
	n := min(int64(len(c.ahead)), c.tape.end()-c.at)
	from := c.at - c.tape.start
	if from < 0 || !bytes.Equal(c.ahead[:n], c.tape.kept[from:from+n]) {
		return false
	}
	c.ahead = append(c.ahead[:0], c.ahead[n:]...)
	c.at += n
	return true
}

// endsAt tells whether the output was all that lies before end.
func (c *comparison) endsAt(end int64) bool {
	return c.catchUp() && len(c.ahead) == 0 && c.at == end
}
