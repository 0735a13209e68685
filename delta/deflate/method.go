package deflate

import (
	"errors"
	"fmt"
	"io"

	kflate "github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"

	"github.com/flotobuild/flotobuild/delta/deflate/internal/goflate"
	"github.com/flotobuild/flotobuild/delta/deflate/internal/zdeflate"
)

// ErrEncoder says that a recipe names an encoder that this version does not
// have.
var ErrEncoder = errors.New("unknown encoder")

// The encoders, as numbered in recipes.
const (
	encoderZlib      = 1
	encoderGNU       = 2
	encoderGo        = 3 // Go 1.19 to 1.26
	encoderKlauspost = 4 // klauspost/compress 1.19.2
	encoderZstd      = 5 // klauspost/compress 1.19.2
	encoderPigz      = 6
	encoderPigzOne   = 7 // pigz with one thread
	encoderPgzip     = 8 // klauspost/pgzip with klauspost/compress 1.19.2
)

// A method is an encoder with its settings.
type method struct {
	encoder  uint8
	level    uint8
	memLevel uint8 // zlib's; otherwise 0
}

func (m method) String() string {
	names := [...]string{"", "zlib", "gzip", "go", "klauspost", "klauspost zstd", "pigz", "pigz -p1", "pgzip"}
	s := fmt.Sprintf("encoder %d -%d", m.encoder, m.level)
	if int(m.encoder) < len(names) {
		s = fmt.Sprintf("%s -%d", names[m.encoder], m.level)
	}
	if m.encoder == encoderZlib && m.memLevel != defaultMemLevel {
		s += fmt.Sprintf(" memory level %d", m.memLevel)
	}
	return s
}

// defaultMemLevel is what zlib uses unless told otherwise. The highest, 9, is
// Perl's and that of most programs that set it.
const (
	defaultMemLevel = 8
	maxMemLevel     = 9
)

const (
	minLevel     = 1
	maxLevel     = 9
	defaultLevel = 6
	maxZstdLevel = 4 // klauspost's levels, from fastest to best
)

// open makes the encoder of a stream.
func (m method) open(w io.Writer) (io.WriteCloser, error) {
	if m.level < minLevel || m.level > maxLevel {
		return nil, fmt.Errorf("cannot encode at level %d: %w", m.level, ErrEncoder)
	}
	switch m.encoder {
	case encoderZlib:
		if m.memLevel < minLevel || m.memLevel > maxMemLevel {
			return nil, fmt.Errorf("cannot encode at memory level %d: %w", m.memLevel, ErrEncoder)
		}
		return zdeflate.NewEncoder(w, zdeflate.Config{Level: int(m.level), MemLevel: int(m.memLevel)})
	case encoderGNU:
		return zdeflate.NewEncoder(w, zdeflate.Config{Level: int(m.level), MemLevel: defaultMemLevel, GNU: true})
	case encoderGo:
		return goflate.NewWriter(w, int(m.level))
	case encoderKlauspost:
		return kflate.NewWriter(w, int(m.level))
	case encoderPgzip:
		return newPgzip(w, int(m.level))
	case encoderPigz, encoderPigzOne:
		return zdeflate.NewPigz(w, int(m.level), m.encoder == encoderPigzOne)
	case encoderZstd:
		if m.level > maxZstdLevel {
			return nil, fmt.Errorf("cannot encode zstd at level %d: %w", m.level, ErrEncoder)
		}
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.EncoderLevel(m.level)), zstd.WithEncoderConcurrency(1))
	}
	return nil, fmt.Errorf("cannot encode with encoder %d: %w", m.encoder, ErrEncoder)
}
