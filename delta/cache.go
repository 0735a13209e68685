package delta

// A cache keeps pages of the bases, since what parts refer to is small and
// lies about: reading each alone takes longer than making it.
type cache struct {
	pages [cachePages]page
}

type page struct {
	at  int64 // address of the first byte
	buf []byte
}

// Pages are large enough for what follows a match to be there too. An address
// has one place, by the number of its page.
const (
	pageSize   = 16 << 10
	cachePages = 128
)

// readBase fills b with what stands from the address a on.
func (p *player) readBase(b []byte, a int64) error {
	if len(b) > pageSize || a < 0 || a > p.bases.size()-int64(len(b)) {
		return p.bases.readFull(b, a)
	}
	for len(b) > 0 {
		g, err := p.page(a &^ (pageSize - 1))
		if err != nil {
			return err
		}
		n := copy(b, g.buf[a-g.at:])
		b, a = b[n:], a+int64(n)
	}
	return nil
}

// page gives the page at an address within the bases; the last may be short.
func (p *player) page(at int64) (*page, error) {
	g := &p.cache.pages[at/pageSize%cachePages]
	if g.at == at && len(g.buf) > 0 {
		return g, nil
	}
	g.at = at
	b := room(&g.buf, min(pageSize, p.bases.size()-at))
	if err := p.bases.readFull(b, at); err != nil {
		g.buf = g.buf[:0]
		return nil, err
	}
	return g, nil
}
