package delta

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/strictjson"
	"github.com/flotobuild/flotobuild/internal/verify"
)

// MediaType is that of a delta in an OCI registry.
const MediaType = "application/vnd.flotobuild.delta.v1"

// Version tells what Create writes now from what it wrote before, for who keeps
// deltas: it goes up whenever the same layers give another delta. It is no part
// of the format, whose version is in the first line of a delta.
const Version = 2

// magic begins every delta; its digit is the version of what follows.
const magic = "flotobuild delta 1\n"

const (
	// maxHeader bounds the JSON of a header: that of maxBases bases fits.
	maxHeader = 1 << 20
	// maxBases is more than the layers of all images of a site.
	maxBases = 4096
	// maxSize is the largest layer, and the largest sum of bases.
	maxSize = 1 << 44
)

// ErrMalformed says that bytes are no delta, or a damaged one.
var ErrMalformed = errors.New("malformed delta")

// A Header says what a delta makes out of what. It stands at its begin.
type Header struct {
	// Target is the layer that the delta makes.
	Target Descriptor `json:"target"`
	// Bases are the layers that it needs, in the order of their addresses.
	Bases []Descriptor `json:"bases"`
	// Memory is how many bytes applying takes at most, roughly.
	Memory int64 `json:"memory"`
}

// A Descriptor names an uncompressed layer: a tar.
type Descriptor struct {
	// Digest is the diff id.
	Digest digest.Digest `json:"diffId"`
	// Size is in bytes.
	Size int64 `json:"size"`
}

// Inspect reads the header at the begin of a delta and nothing else. Its digest
// is checked, that of the rest is not.
func Inspect(r io.Reader) (*Header, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, fmt.Errorf("cannot read delta: %w", err)
	}
	return h, nil
}

// bytes gives magic, length, JSON and SHA-256 of these three.
func (h *Header) bytes() ([]byte, error) {
	j, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	b := append([]byte(magic), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[len(magic):], uint32(len(j)))
	b = append(b, j...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...), nil
}

func readHeader(r io.Reader) (*Header, error) {
	b := make([]byte, len(magic)+4, 4096)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, short(err)
	}
	if string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrMalformed, magic)
	}
	n := int64(binary.LittleEndian.Uint32(b[len(magic):]))
	if n > maxHeader {
		return nil, fmt.Errorf("%w: its header has %d bytes, more than %d", ErrMalformed, n, maxHeader)
	}
	rest, err := io.ReadAll(io.LimitReader(r, n+sha256.Size))
	if err != nil {
		return nil, err
	}
	if int64(len(rest)) < n+sha256.Size {
		return nil, short(io.ErrUnexpectedEOF)
	}
	b = append(b, rest[:n]...)
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:], rest[n:]) {
		return nil, fmt.Errorf("%w: the digest of its header is wrong", ErrMalformed)
	}
	return parseHeader(rest[:n])
}

func parseHeader(j []byte) (*Header, error) {
	h := &Header{}
	if err := strictjson.CheckKeys(j, nil); err != nil {
		return nil, fmt.Errorf("%w: its header: %w", ErrMalformed, err)
	}
	if err := json.Unmarshal(j, h); err != nil {
		return nil, fmt.Errorf("%w: its header: %w", ErrMalformed, err)
	}
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("%w: its header: %w", ErrMalformed, err)
	}
	return h, nil
}

func (h *Header) check() error {
	if len(h.Bases) > maxBases {
		return fmt.Errorf("%d bases, more than %d", len(h.Bases), maxBases)
	}
	if h.Memory < 0 {
		return fmt.Errorf("memory is %d", h.Memory)
	}
	var sum int64
	for _, d := range h.Bases {
		if err := d.check(); err != nil {
			return fmt.Errorf("base %q: %w", d.Digest, err)
		}
		if sum += d.Size; sum > maxSize {
			return fmt.Errorf("bases of more than %d bytes", int64(maxSize))
		}
	}
	if err := h.Target.check(); err != nil {
		return fmt.Errorf("target %q: %w", h.Target.Digest, err)
	}
	return nil
}

func (d *Descriptor) check() error {
	if err := verify.CheckDigest(d.Digest); err != nil {
		return err
	}
	if d.Size < 0 || d.Size > maxSize {
		return fmt.Errorf("size %d is not between 0 and %d", d.Size, int64(maxSize))
	}
	return nil
}

// malformed says what of a delta cannot be, and why.
func malformed(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrMalformed, what, err)
}

// short names an early end for what it is.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early", ErrMalformed)
	}
	return err
}
