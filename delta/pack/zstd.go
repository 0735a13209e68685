package pack

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

const (
	// maxStream is the memory that a decoder may take.
	maxStream = 64 << 20
	// window is how far back an encoder refers. It takes that much memory and
	// 34 MiB besides; more hardly makes streams smaller.
	window = 8 << 20
)

var encoders = sync.Pool{New: func() any {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // options that are constant
	}
	return e
}}

var decoders = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxStream))
	if err != nil {
		panic(err) // options that are constant
	}
	return d
}}

func packZstd(raw []byte) []byte {
	e := encoders.Get().(*zstd.Encoder)
	defer encoders.Put(e)
	return e.EncodeAll(raw, make([]byte, 0, len(raw)/4*3))
}

func unpackZstd(packed []byte, size int) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(packed); err != nil || !h.HasFCS || h.FrameContentSize != uint64(size) {
		return nil, fmt.Errorf("%w: its size is not %d", ErrMalformed, size)
	}
	d := decoders.Get().(*zstd.Decoder)
	defer decoders.Put(d)
	raw, err := d.DecodeAll(packed, make([]byte, 0, size))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(raw) != size {
		return nil, fmt.Errorf("%w: its size is not %d", ErrMalformed, size)
	}
	return raw, nil
}
