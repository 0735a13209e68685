package zdeflate

import "io"

const (
	// agreeSize is how much content is looked at: less than what fills a block.
	agreeSize = 16000
	// agreeEdge is left out at its end, where it shows that there is no more.
	agreeEdge = 2 * minLookahead
)

// Agrees tells whether a level finds the first symbols of a block in content,
// the start of a stream. It does not look at everything: false is certain, true
// is not. The memory level is 8 or 9; GNU gzip and pigz find what 8 does.
func Agrees(level, memLevel int, content []byte, start []Symbol) bool {
	content = content[:min(len(content), agreeSize)]
	e, err := NewEncoder(io.Discard, Config{Level: level, MemLevel: memLevel})
	if err != nil {
		return false
	}
	e.fill(content)
	e.finish = true
	e.run()
	at := 0
	for i, s := range e.symbols {
		if i == len(start) || at > len(content)-agreeEdge {
			return true
		}
		if s != start[i] {
			return false
		}
		at++
		if s.Dist > 0 {
			at += int(s.Value) + minMatch - 1
		}
	}
	return true
}
