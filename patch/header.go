package patch

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/klauspost/compress/flate"
	"github.com/opencontainers/go-digest"
)

// A Header is what the first bytes of a patch file say.
type Header struct {
	Description *Description
	// Digest is that of the description's exact bytes: a parent is named by it.
	Digest digest.Digest
	raw    []byte
}

// Ref names the patch as a parent: by itself, or by the release that it stands
// for. What follows that release applies on top of this patch as well.
func (h *Header) Ref() ParentRef { return h.Description.Ref(h.Digest) }

// Raw gives the exact bytes of patch-description.json.
func (h *Header) Raw() []byte { return bytes.Clone(h.raw) }

// ReadHeader reads VERSION.txt and the description from the beginning of a
// patch file, and nothing behind them. The description is parsed and not
// checked further; see Description.Check.
func ReadHeader(r io.Reader) (*Header, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, fmt.Errorf("cannot read patch: %w", err)
	}
	return h, nil
}

func readHeader(r io.Reader) (*Header, error) {
	text, err := readLeading(r, VersionEntry, maxVersion)
	if err != nil {
		return nil, err
	}
	if string(text) != VersionText {
		return nil, fmt.Errorf("entry %q says %q, and only %q is known", VersionEntry, text, VersionText)
	}
	raw, err := readLeading(r, DescriptionEntry, MaxDescription)
	if err != nil {
		return nil, err
	}
	d, err := Decode(raw)
	if err != nil {
		return nil, err
	}
	return &Header{d, digest.FromBytes(raw), raw}, nil
}

// maxVersion is more than any VERSION.txt needs in bytes, so that another
// version is reported as such.
const maxVersion = 64

// slack is the number of bytes by which a compressed entry may exceed the limit
// of its content.
const slack = 1 << 10

// readLeading reads one entry from its local header on; it must be called name
// and have at most limit bytes.
func readLeading(r io.Reader, name string, limit int64) ([]byte, error) {
	rec, err := readLocal(r, name)
	if err != nil {
		return nil, err
	}
	return readContent(r, rec, limit)
}

// readN reads n bytes without trusting n for the allocation.
func readN(r io.Reader, n int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, n))
	if err == nil && int64(len(b)) < n {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends here: it is truncated")
	}
	return err
}

// readLocal reads a local header with its name.
func readLocal(r io.Reader, name string) (*record, error) {
	b, err := readN(r, localLen)
	if err != nil && len(b) == 0 || len(b) >= 4 && le.Uint32(b) != sigLocal {
		return nil, errors.New("this is not a patch file: it does not begin as a ZIP with " + VersionEntry + " and " + DescriptionEntry)
	}
	if err != nil {
		return nil, truncated(err)
	}
	rest, err := readN(r, int64(le.Uint16(b[26:]))+int64(le.Uint16(b[28:])))
	if err != nil {
		return nil, truncated(err)
	}
	rec := &record{
		name: string(rest[:le.Uint16(b[26:])]), method: le.Uint16(b[8:]), crc: le.Uint32(b[14:]),
		packed: int64(le.Uint32(b[18:])), size: int64(le.Uint32(b[22:])),
	}
	switch {
	case rec.name != name:
		return nil, fmt.Errorf("this is not a patch file: it has entry %q where %q belongs", clip(rec.name), name)
	case le.Uint16(b[6:])&^flagUTF8 != 0:
		return nil, fmt.Errorf("entry %q is encrypted or has its sizes behind the data", name)
	}
	return rec, nil
}

// clip shortens a name of unknown making for a message.
func clip(s string) string {
	if len(s) > 256 {
		return s[:256] + "…"
	}
	return s
}

// unpack gives the content of an entry held in memory.
func (r *record) unpack(packed []byte) ([]byte, error) {
	content, err := r.content(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(content, min(r.size, math.MaxInt64-1)+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) != r.size:
		return nil, fmt.Errorf("it does not have the %d bytes announced", r.size)
	case crc32.ChecksumIEEE(data) != r.crc:
		return nil, errors.New("its check sum is wrong")
	}
	return data, nil
}

// content undoes the entry's method.
func (r *record) content(packed io.Reader) (io.Reader, error) {
	switch r.method {
	case methodStore:
		return packed, nil
	case methodDeflate:
		return flate.NewReader(packed), nil
	}
	return nil, fmt.Errorf("method %d is neither stored nor deflated", r.method)
}
