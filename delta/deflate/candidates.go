package deflate

import (
	"cmp"
	"slices"
)

// What gzip headers tell of their writer.
const (
	osUnix       = 3
	osUnknown    = 255
	flagsSlowest = 2 // XFL of level 9
	flagsFastest = 4 // XFL of level 1
)

// A hint is what is known of an encoder before looking at its stream.
type hint struct {
	level uint8 // 0: none
	goOS  bool  // the header says "unknown", as Go and Python write it
	last  method
}

// candidates are all methods of deflate, the likely ones first.
func candidates(h hint) []method {
	var all []method
	for level := uint8(minLevel); level <= maxLevel; level++ {
		all = append(all,
			method{encoderGNU, level, 0},
			method{encoderZlib, level, defaultMemLevel},
			method{encoderZlib, level, maxMemLevel},
			method{encoderPigz, level, 0},
			method{encoderPigzOne, level, 0},
			method{encoderGo, level, 0},
			method{encoderKlauspost, level, 0},
			method{encoderPgzip, level, 0})
	}
	slices.SortStableFunc(all, func(a, b method) int { return cmp.Compare(h.penalty(a), h.penalty(b)) })
	return all
}

// penalty ranks a method by what the hint says, then by how common it is.
func (h hint) penalty(m method) int {
	if m == h.last {
		return -1
	}
	p := 0
	if h.level != 0 && m.level != h.level {
		p += 100
	}
	if goKind := m.encoder == encoderGo || m.encoder == encoderKlauspost || m.encoder == encoderPgzip; goKind != h.goOS {
		p += 10
	}
	if m.level != defaultLevel && m.level != maxLevel && m.level != minLevel {
		p += 20
	}
	switch {
	case m.encoder == encoderPigz:
		p += 3
	case m.encoder == encoderKlauspost || m.encoder == encoderPgzip || m.encoder == encoderPigzOne || m.memLevel == maxMemLevel:
		p += 5
	}
	return p
}

// zstdCandidates are the methods of zstd, the default first.
func zstdCandidates() []method {
	return []method{{encoderZstd, 2, 0}, {encoderZstd, 1, 0}, {encoderZstd, 3, 0}, {encoderZstd, 4, 0}}
}
