package patch

import (
	"bytes"
	"io"
	"testing"

	"github.com/opencontainers/go-digest"
)

// Whatever delta, recipe and sizes say: what comes out is the blob with the
// digest, or an error, and never more than the blob has.
func FuzzDeltaApply(f *testing.F) {
	s := newSite(f)
	one, two := deltaPatch(f, s)
	l := layersOf(two.Description.Flotobuild.Images)[0]
	good := two.Description.Deltas()[l.Digest]
	packed, base := s.blobs[good.Delta.Digest], s.tar(layersOf(one.Description.Flotobuild.Images)[0])
	bases := func(digest.Digest) (io.ReaderAt, int64, error) { return bytes.NewReader(base), int64(len(base)), nil }
	f.Add(packed, good.Delta.Recipe, good.Delta.Size, good.Delta.BaseSize, l.Size)
	f.Add(packed, []byte{1, 1, 1, 0}, good.Delta.Size, good.Delta.BaseSize, l.Size)
	f.Add(packed[:len(packed)-1], []byte{}, good.Delta.Size, good.Delta.BaseSize, l.Size)
	f.Add(append(bytes.Clone(packed), 0), good.Delta.Recipe, good.Delta.Size, good.Delta.BaseSize, l.Size-1)
	f.Fuzz(func(t *testing.T, b, recipe []byte, size, baseSize, blobSize int64) {
		x := good
		copied := *good.Delta
		x.Delta = &copied
		x.Delta.Recipe, x.Delta.Size, x.Delta.BaseSize = recipe, size, baseSize
		var out bytes.Buffer
		err := x.Apply(t.Context(), bytes.NewReader(b), bases, &out, blobSize)
		if err == nil && digest.FromBytes(out.Bytes()) != l.Digest {
			t.Error("another blob was made")
		}
		if int64(out.Len()) > max(blobSize, 0) {
			t.Errorf("%d bytes were written, and %d are allowed", out.Len(), blobSize)
		}
	})
}
