package deflate

import "github.com/flotobuild/flotobuild/delta/deflate/internal/zdeflate"

// evidence is what a stream's first block tells of its encoder. It rules most
// methods out for a fraction of what trying them takes. None allows all.
type evidence struct {
	block   zdeflate.FirstBlock
	content []byte
	alone   bool // the block may hold all of the content
	agrees  map[finder]bool
}

// A finder is what encoders of zlib's family share: how matches are found.
type finder struct{ level, memLevel uint8 }

// look reads the first block of the stream that starts at a place of the tape.
func (s *search) look(start int64, content []byte) *evidence {
	b, ok := zdeflate.ReadFirstBlock(s.tape.kept[start-s.tape.start:])
	if !ok || b.Stored {
		return nil
	}
	return &evidence{block: b, content: content, alone: b.Size >= len(content), agrees: map[finder]bool{}}
}

// allows tells whether a method can have written the stream.
func (e *evidence) allows(m method) bool {
	if e == nil {
		return true
	}
	switch m.encoder {
	case encoderZlib, encoderGNU, encoderPigz, encoderPigzOne:
		return e.allowsEnd(m) && e.allowsStart(m)
	case encoderPgzip:
		return !e.block.Short && !e.block.Final // which comes after the flush
	case encoderGo, encoderKlauspost:
		return !e.block.Short && (!e.block.Final || e.block.Size == 0) && e.allowsEnd(m)
	}
	return true
}

// allowsEnd looks at where the block ended. All blocks but the last end when
// something is full.
func (e *evidence) allowsEnd(m method) bool {
	b := e.block
	switch {
	case b.Final || e.alone:
		return true
	case m.encoder == encoderZlib:
		return b.Symbols == 1<<(m.memLevel+6)-1
	case m.encoder == encoderPigz || m.encoder == encoderPigzOne:
		return b.Symbols == 1<<(defaultMemLevel+6)-1 || b.Size == 128<<10
	case m.encoder == encoderGNU:
		return b.Symbols == 1<<15-1 || b.Symbols%(1<<12) == 0
	case m.encoder == encoderGo && m.level == minLevel:
		return b.Size == 1<<16-1
	case m.encoder == encoderGo:
		return b.Symbols == 1<<14
	}
	return true
}

// allowsStart looks at which matches were found, once for all encoders that
// find the same.
func (e *evidence) allowsStart(m method) bool {
	f := finder{m.level, defaultMemLevel}
	if m.encoder == encoderZlib {
		f.memLevel = m.memLevel
	}
	agrees, known := e.agrees[f]
	if !known {
		agrees = zdeflate.Agrees(int(f.level), int(f.memLevel), e.content, e.block.Start)
		e.agrees[f] = agrees
	}
	return agrees
}
