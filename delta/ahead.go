package delta

// An ahead keeps what was read of the bases for what is read next, since parts
// are many and small.
type ahead struct {
	buf []byte
	at  int64 // address of the first byte
}

// aheadSize is how much is read at once, and aheadBack how much of it is before
// what is wanted.
const (
	aheadSize = 64 << 10
	aheadBack = 4 << 10
)

// readBase fills b with what stands from the address a on.
func (p *player) readBase(b []byte, a int64) error {
	c := &p.ahead
	if len(b) > aheadSize/4 || a < 0 || a+int64(len(b)) > p.bases.size() {
		return p.bases.readFull(b, a)
	}
	if a < c.at || a+int64(len(b)) > c.at+int64(len(c.buf)) {
		from := max(a-aheadBack, 0)
		c.buf = room(&c.buf, min(aheadSize, p.bases.size()-from))
		c.at = from
		if err := p.bases.readFull(c.buf, from); err != nil {
			c.buf = c.buf[:0]
			return err
		}
	}
	copy(b, c.buf[a-c.at:])
	return nil
}
