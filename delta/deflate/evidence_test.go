package deflate

import (
	"bytes"
	"compress/flate"
	"io"
	"testing"

	"github.com/flotobuild/flotobuild/delta/deflate/internal/zdeflate"
)

// TestEvidenceAllowsTheWriter checks that a method is never ruled out where it
// was at work.
func TestEvidenceAllowsTheWriter(t *testing.T) {
	for name, content := range samples() {
		if len(content) > prefixSize && name != "zeros" {
			content = content[:120_000]
		}
		for _, m := range candidates(hint{}) {
			s := search{tape: &tape{kept: encode(t, m, content)}}
			prefix := content[:min(len(content), prefixSize)]
			e := s.look(0, prefix)
			if !e.allows(m) {
				t.Errorf("%s on %s is ruled out by the block %+v", m, name, e.block.Symbols)
			}
		}
	}
}

// TestEvidenceRulesOut checks that a look saves most of the tries.
func TestEvidenceRulesOut(t *testing.T) {
	content := samples()["prose"]
	for _, m := range []method{{encoderZlib, 6, 8}, {encoderZlib, 9, 9}, {encoderGNU, 9, 0}, {encoderPigz, 6, 0}} {
		s := search{tape: &tape{kept: encode(t, m, content)}}
		e := s.look(0, content[:prefixSize])
		n := 0
		for _, c := range candidates(hint{}) {
			if e.allows(c) {
				n++
			}
		}
		if n > 9 {
			t.Errorf("after a look at %s, %d methods remain", m, n)
		}
	}
}

func FuzzReadFirstBlock(f *testing.F) {
	for _, m := range []method{{encoderZlib, 6, 8}, {encoderGo, 6, 0}, {encoderZlib, 1, 8}} {
		f.Add(encode(f, m, samples()["short"]))
		f.Add(encode(f, m, prose(1, 3000)))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		b, ok := zdeflate.ReadFirstBlock(p)
		content, err := io.ReadAll(flate.NewReader(bytes.NewReader(p)))
		if ok && !b.Stored && err == nil && (b.Size > len(content) || b.Final && b.Size != len(content)) {
			t.Errorf("the block has %d bytes, the stream %d", b.Size, len(content))
		}
		if !ok && err == nil {
			t.Errorf("a good stream's block is refused")
		}
		zdeflate.Agrees(6, defaultMemLevel, bytes.Clone(content), b.Start)
	})
}
