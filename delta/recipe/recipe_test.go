package recipe

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// sample is content that compresses, of n bytes.
func sample(n int) []byte {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "entry %d of %x\n", rnd.IntN(1000), rnd.Uint32()>>rnd.IntN(32))
	}
	return b.Bytes()[:n]
}

func zstdOf(t *testing.T, content []byte, o ...zstd.EOption) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, o...)
	if err != nil {
		t.Fatal(err)
	}
	for len(content) > 0 { // in pieces, as builds write
		n := min(len(content), 3000)
		if _, err := z.Write(content[:n]); err != nil {
			t.Fatal(err)
		}
		content = content[n:]
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func roundTrip(t *testing.T, content, blob []byte) Recipe {
	t.Helper()
	r, ok, err := Identify(t.Context(), bytes.NewReader(blob), int64(len(blob)))
	if err != nil || !ok {
		t.Fatalf("not identified: %v", err)
	}
	b, err := r.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if r, err = Parse(b); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.Encode(t.Context(), &out, bytes.NewReader(content)); err != nil || !bytes.Equal(out.Bytes(), blob) {
		t.Fatalf("%v makes another blob: %v", r, err)
	}
	return r
}

func TestZstd(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 128 << 10, 3 << 20} {
		content := sample(n)
		for name, o := range map[string][]zstd.EOption{
			"default":   nil,
			"store":     {zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(8 << 20)},
			"fastest":   {zstd.WithEncoderLevel(zstd.SpeedFastest)},
			"better":    {zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(4)},
			"best":      {zstd.WithEncoderLevel(zstd.SpeedBestCompression)},
			"no check":  {zstd.WithEncoderCRC(false)},
			"1M window": {zstd.WithWindowSize(1 << 20)},
		} {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				blob := zstdOf(t, content, o...)
				if n == 0 && len(blob) == 0 {
					t.Skip("nothing is written for nothing")
				}
				roundTrip(t, content, blob)
			})
		}
	}
}

func TestGzip(t *testing.T) {
	content := sample(300_000)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	roundTrip(t, content, b.Bytes())
}

func TestPlain(t *testing.T) {
	r, err := Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.Encode(t.Context(), &out, bytes.NewReader(sample(1000))); err != nil || !bytes.Equal(out.Bytes(), sample(1000)) {
		t.Errorf("it became something else: %v", err)
	}
}

// The encoder's output must not change as long as its number does not.
func TestGolden(t *testing.T) {
	want := map[zstd.EncoderLevel]string{
		zstd.SpeedFastest:           "e94570ba65adebcfe83247fc77a9d51118a39089dd04a9cf58dc16c8d24f34b0",
		zstd.SpeedDefault:           "9c122614e5922b9bc6c3a1b521955ff491eae6a30046b9e1243f9daf9b1c4f59",
		zstd.SpeedBetterCompression: "f53e32bc8062dbd5d0e6438f2ce8e01189265db08f59a8acc9e60345451a4b0f",
		zstd.SpeedBestCompression:   "c5010cc83de956bb45e7c00be1c5cd0a3dbf462de4132647560d4493137a97c5",
	}
	for level, sum := range want {
		hash := sha256.New()
		s := &zstdSettings{level: level, window: defaultWindow, crc: true}
		if err := s.encode(t.Context(), hash, bytes.NewReader(sample(2<<20))); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
			t.Errorf("%v gives %s: the encoder has changed and needs a new number", level, got)
		}
	}
}

func TestUnknown(t *testing.T) {
	content := sample(200_000)
	two := zstdOf(t, content[:100_000])
	two = append(two, zstdOf(t, content[100_000:])...)
	cut := zstdOf(t, content)
	for name, blob := range map[string][]byte{
		"empty": {}, "a tar": content, "two frames": two, "truncated": cut[:len(cut)/2], "magic alone": zstdMagic,
		"longer": append(bytes.Clone(cut), 'x'),
	} {
		if r, ok, err := Identify(t.Context(), bytes.NewReader(blob), int64(len(blob))); ok || err != nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	blob := zstdOf(t, sample(200_000))
	if _, _, err := Identify(ctx, bytes.NewReader(blob), int64(len(blob))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		b       []byte
		encoder bool
	}{
		"other kind":       {[]byte{9}, true},
		"other encoder":    {[]byte{2, 2, 2, 23, 1}, true},
		"short":            {[]byte{2, 1, 2, 23}, false},
		"long":             {[]byte{2, 1, 2, 23, 1, 0}, false},
		"level":            {[]byte{2, 1, 9, 23, 1}, false},
		"window":           {[]byte{2, 1, 2, 40, 1}, false},
		"check sum":        {[]byte{2, 1, 2, 23, 2}, false},
		"damaged deflate":  {[]byte{1, 200}, false},
		"larger than ever": {make([]byte, Max+1), false},
	} {
		if _, err := Parse(c.b); err == nil || errors.Is(err, ErrEncoder) != c.encoder {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{2, 1, 2, 23, 1})
	f.Add([]byte{1, 1, 2, 1, 6, 8, 100})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse(b)
		if err != nil {
			return
		}
		if _, err := r.MarshalBinary(); err != nil {
			t.Errorf("%v has no form: %v", r, err)
		}
		// Any recipe ends, whatever the content is.
		_ = r.Encode(t.Context(), io.Discard, bytes.NewReader(sample(1000)))
	})
}

// A recipe from a stranger may name as many streams as it has room for: reading
// it takes no encoder for each.
func TestParseManyParts(t *testing.T) {
	const zstdBest = "\x02\x05\x04\x00\x00"
	n := (Max - 16) / len(zstdBest)
	b := binary.AppendUvarint([]byte{kindDeflate}, uint64(n))
	b = append(b, strings.Repeat(zstdBest, n)...)
	begun := time.Now()
	if _, err := Parse(b); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("%d parts take %v", n, took)
	}
}
