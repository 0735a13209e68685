package recipe

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zstd"

	"github.com/flotobuild/flotobuild/internal/verify"
)

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// klauspost is the number of the encoder in klauspost/compress.
const klauspost = 1

// The windows that are taken, as binary logarithms of bytes: more than the
// upper one is refused by those who read layers.
const (
	minWindow     = 10
	maxWindow     = 27
	defaultWindow = 23
)

// levels are those of the encoder, in the order of how usual they are.
var levels = []zstd.EncoderLevel{zstd.SpeedDefault, zstd.SpeedFastest, zstd.SpeedBetterCompression, zstd.SpeedBestCompression}

// zstdSettings are what the encoder is given.
type zstdSettings struct {
	level  zstd.EncoderLevel
	window uint8 // binary logarithm
	crc    bool
}

func (s *zstdSettings) bytes() []byte {
	crc := byte(0)
	if s.crc {
		crc = 1
	}
	return []byte{klauspost, byte(s.level), s.window, crc}
}

func parseZstd(b []byte) (*zstdSettings, error) {
	const length = 4
	switch {
	case len(b) > 0 && b[0] != klauspost:
		return nil, fmt.Errorf("zstd encoder %d: %w", b[0], ErrEncoder)
	case len(b) != length:
		return nil, fmt.Errorf("that of a zstd layer has %d bytes instead of %d", 1+len(b), 1+length)
	case b[1] < byte(zstd.SpeedFastest) || b[1] > byte(zstd.SpeedBestCompression):
		return nil, fmt.Errorf("zstd level %d is not between %d and %d", b[1], zstd.SpeedFastest, zstd.SpeedBestCompression)
	case b[2] < minWindow || b[2] > maxWindow:
		return nil, fmt.Errorf("a zstd window of 2^%d bytes is not between 2^%d and 2^%d", b[2], minWindow, maxWindow)
	case b[3] > 1:
		return nil, fmt.Errorf("byte %d says whether there is a check sum, and is %d", length, b[3])
	}
	return &zstdSettings{zstd.EncoderLevel(b[1]), b[2], b[3] == 1}, nil
}

// String names the settings.
func (s *zstdSettings) String() string {
	return fmt.Sprintf("zstd (klauspost) %v, window %d KiB", s.level, 1<<s.window>>10)
}

func (s *zstdSettings) encode(ctx context.Context, w io.Writer, content io.Reader) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(s.level),
		zstd.WithWindowSize(1<<s.window), zstd.WithEncoderCRC(s.crc))
	if err != nil {
		return err
	}
	_, err = verify.Copy(ctx, z, content)
	return errors.Join(err, z.Close())
}

// identifyZstd tries all levels; nil where none makes the blob.
func identifyZstd(ctx context.Context, blob io.ReaderAt, size int64) (*zstdSettings, error) {
	head := make([]byte, zstd.HeaderMaxSize)
	n, err := blob.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("cannot read a compressed layer: %w", err)
	}
	var h zstd.Header
	if err := h.Decode(head[:n]); err != nil || h.Skippable {
		return nil, nil
	}
	s := &zstdSettings{window: defaultWindow, crc: h.HasCheckSum}
	if !h.SingleSegment {
		if bits.OnesCount64(h.WindowSize) != 1 || h.WindowSize > 1<<maxWindow || h.WindowSize < 1<<minWindow {
			return nil, nil
		}
		s.window = uint8(bits.TrailingZeros64(h.WindowSize))
	}
	for _, s.level = range levels {
		ok, err := s.makes(ctx, blob, size)
		if err != nil || ok {
			return s, err
		}
	}
	return nil, nil
}

// errOther ends the comparison with another blob.
var errOther = errors.New("it is another blob")

// makes tells whether the settings give the blob. An error is that of ctx.
func (s *zstdSettings) makes(ctx context.Context, blob io.ReaderAt, size int64) (bool, error) {
	z, err := zstd.NewReader(io.NewSectionReader(blob, 0, size), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<maxWindow))
	if err != nil {
		return false, nil
	}
	defer z.Close()
	want := bufio.NewReaderSize(io.NewSectionReader(blob, 0, size), 64<<10)
	err = s.encode(ctx, comparison{want}, z)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if err != nil {
		return false, nil
	}
	_, err = want.ReadByte()
	return errors.Is(err, io.EOF), nil
}

// A comparison takes what want has.
type comparison struct{ want io.Reader }

// Write implements io.Writer.
func (c comparison) Write(p []byte) (int, error) {
	b := make([]byte, len(p))
	if _, err := io.ReadFull(c.want, b); err != nil || !bytes.Equal(b, p) {
		return 0, errOther
	}
	return len(p), nil
}
