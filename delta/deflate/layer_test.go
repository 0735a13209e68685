package deflate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
)

// layer is content longer than what decides which methods are tried on.
func layer() []byte {
	return slicesOf(prose(20, 1<<20), table(21, 400_000), noise(22, 300_000, 256), prose(23, 300_000))
}

func TestIdentifyLayerStreams(t *testing.T) {
	content := layer()
	for _, m := range []method{{encoderGo, 6, 0}, {encoderGo, 1, 0}, {encoderGNU, 6, 0}, {encoderZlib, 7, 8}, {encoderKlauspost, 3, 0}, {encoderPigz, 6, 0}, {encoderPigzOne, 2, 0}} {
		t.Run(m.String(), func(t *testing.T) {
			compressed := member(t, m, content)
			var got bytes.Buffer
			r, ok, err := IdentifyLayer(context.Background(), iotest.HalfReader(bytes.NewReader(compressed)), &got)
			if err != nil || !ok {
				t.Fatalf("no recipe: %v", err)
			}
			if !bytes.Equal(got.Bytes(), content) || r.String() != m.String() {
				t.Errorf("found %s and %d bytes", r, got.Len())
			}
			mustEncode(t, r, compressed, content)
		})
	}
}

func TestIdentifyLayerReportsErrors(t *testing.T) {
	compressed := member(t, method{encoderGo, 6, 0}, samples()["prose"])
	broken := errors.New("broken disk")
	blob := io.MultiReader(bytes.NewReader(compressed[:len(compressed)/2]), iotest.ErrReader(broken))
	if _, ok, err := IdentifyLayer(context.Background(), blob, io.Discard); ok || !errors.Is(err, broken) {
		t.Errorf("a failed read gives %v, %v", ok, err)
	}
	if _, ok, err := IdentifyLayer(context.Background(), iotest.ErrReader(broken), io.Discard); ok || !errors.Is(err, broken) {
		t.Errorf("a failed first read gives %v, %v", ok, err)
	}
	if _, ok, err := IdentifyLayer(context.Background(), bytes.NewReader(compressed), &failingWriter{after: 1}); ok || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a failed write gives %v, %v", ok, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, ok, err := IdentifyLayer(ctx, bytes.NewReader(compressed), io.Discard); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("after a cancel: %v, %v", ok, err)
	}
}

// TestIdentifyLayerReadsZstd makes layers as BuildKit does, with as many
// goroutines as there are processors.
func TestIdentifyLayerReadsZstd(t *testing.T) {
	content := layer()
	for _, m := range zstdCandidates() {
		t.Run(m.String(), func(t *testing.T) {
			var blob, got bytes.Buffer
			w, err := zstd.NewWriter(&blob, zstd.WithEncoderLevel(zstd.EncoderLevel(m.level)), zstd.WithEncoderConcurrency(4))
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(w, iotest.HalfReader(bytes.NewReader(content)))
			w.Close()
			r, ok, err := IdentifyLayer(context.Background(), bytes.NewReader(blob.Bytes()), &got)
			if err != nil || !ok {
				t.Fatalf("no recipe: %v", err)
			}
			if !bytes.Equal(got.Bytes(), content) || r.String() != m.String() {
				t.Errorf("found %s and %d bytes", r, got.Len())
			}
			mustEncode(t, r, blob.Bytes(), content)
			for name, b := range map[string][]byte{"cut": blob.Bytes()[:blob.Len()/2], "more behind": slicesOf(blob.Bytes(), []byte("more"))} {
				if _, ok, err := IdentifyLayer(context.Background(), bytes.NewReader(b), io.Discard); ok || err != nil {
					t.Errorf("%s: got %v, %v", name, ok, err)
				}
			}
		})
	}
}
