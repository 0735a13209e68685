package delta

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/opencontainers/go-digest"
)

// layerOf makes a layer of bytes.
func layerOf(b []byte) Layer {
	return Layer{Descriptor{digest.FromBytes(b), int64(len(b))}, bytes.NewReader(b)}
}

// basesOf opens layers by their diff ids.
func basesOf(layers ...Layer) Bases {
	return func(d digest.Digest) (io.ReaderAt, int64, error) {
		for _, l := range layers {
			if l.Digest == d {
				return l.Content, l.Size, nil
			}
		}
		return nil, 0, errors.New("no such layer")
	}
}

func create(t testing.TB, target []byte, o Options, bases ...Layer) []byte {
	t.Helper()
	var out bytes.Buffer
	info, err := Create(context.Background(), &out, layerOf(target), bases, o)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size != int64(out.Len()) {
		t.Errorf("size %d is not %d", info.Size, out.Len())
	}
	return out.Bytes()
}

func applied(t testing.TB, d []byte, bases ...Layer) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := Apply(context.Background(), bytes.NewReader(d), basesOf(bases...), &out, ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func random(seed uint64, n int) []byte {
	b := make([]byte, n)
	c := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = c.Read(b)
	return b
}

func TestRoundTrip(t *testing.T) {
	noise := random(1, 300_000)
	moved := append(append([]byte("in front of it"), noise[100_000:]...), noise[:50_000]...)
	for name, test := range map[string]struct{ target, base []byte }{
		"empty":      {nil, nil},
		"from empty": {noise, nil},
		"to empty":   {nil, noise},
		"one byte":   {[]byte{1}, []byte{2}},
		"equal":      {noise, noise},
		"moved":      {moved, noise},
		"zeros":      {make([]byte, 3<<20), make([]byte, 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			d := create(t, test.target, Options{}, layerOf(test.base))
			if got := applied(t, d, layerOf(test.base)); !bytes.Equal(got, test.target) {
				t.Error("the target came back otherwise")
			}
			if name != "from empty" && len(d) > 2000 {
				t.Errorf("the delta has %d bytes", len(d))
			}
		})
	}
}

func TestRefusesWrongBase(t *testing.T) {
	base, target := random(1, 100_000), random(1, 120_000)
	d := create(t, target, Options{}, layerOf(base))
	wrong := layerOf(random(2, 100_000))
	wrong.Digest = digest.FromBytes(base)
	var out bytes.Buffer
	_, err := Apply(context.Background(), bytes.NewReader(d), basesOf(wrong), &out, ApplyOptions{})
	if !errors.Is(err, ErrWrongBase) || out.Len() > 0 {
		t.Errorf("%d bytes were written, and the error is %v", out.Len(), err)
	}
	wrong.Size--
	if _, err := Apply(context.Background(), bytes.NewReader(d), basesOf(wrong), &out, ApplyOptions{Trust: true}); !errors.Is(err, ErrWrongBase) {
		t.Errorf("a wrong size gives %v", err)
	}
	if _, err := Create(context.Background(), &out, layerOf(target), []Layer{wrong}, Options{}); err == nil {
		t.Error("a wrong base was taken for a new delta")
	}
}

func TestRefusesDamage(t *testing.T) {
	base, target := random(1, 50_000), append(random(3, 200), random(1, 60_000)...)
	d := create(t, target, Options{}, layerOf(base))
	for i := 0; i < len(d); i += 1 + len(d)/2000 {
		bad := bytes.Clone(d)
		bad[i] ^= 1 << (i % 8)
		if _, err := Apply(context.Background(), bytes.NewReader(bad), basesOf(layerOf(base)), io.Discard, ApplyOptions{}); err == nil {
			t.Fatalf("a flipped bit of byte %d passed", i)
		}
		if _, err := Apply(context.Background(), bytes.NewReader(d[:i]), basesOf(layerOf(base)), io.Discard, ApplyOptions{}); !errors.Is(err, ErrMalformed) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

func TestUnusedBasesAreNotNamed(t *testing.T) {
	a, b := random(1, 100_000), random(2, 100_000)
	d := create(t, b, Options{}, layerOf(a), layerOf(b))
	h, err := Inspect(bytes.NewReader(d))
	if err != nil || len(h.Bases) != 1 || h.Bases[0].Digest != digest.FromBytes(b) {
		t.Errorf("bases are %v, %v", h, err)
	}
}

func TestSameBytesWhateverParallel(t *testing.T) {
	base := append(random(1, 5_000_000), random(2, 5_000_000)...)
	target := append(random(2, 5_000_000), random(1, 5_100_000)...)
	one := create(t, target, Options{Parallel: 1}, layerOf(base))
	if four := create(t, target, Options{Parallel: 4}, layerOf(base)); !bytes.Equal(one, four) {
		t.Error("four goroutines make another delta than one")
	}
}

func TestWindows(t *testing.T) {
	base := random(1, 12_000_000)
	target := append(random(2, 3000), base...)
	for i := 0; i < len(target); i += 50_000 {
		target[i]++
	}
	d := create(t, target, Options{Memory: 1}, layerOf(base))
	if len(d) > 10_000 {
		t.Errorf("the delta has %d bytes", len(d))
	}
	if !bytes.Equal(applied(t, d, layerOf(base)), target) {
		t.Error("the target came back otherwise")
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Create(ctx, io.Discard, layerOf(random(1, 1<<20)), nil, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

// TestCheckedWriter leaves the digest to the writer, and nothing else.
func TestCheckedWriter(t *testing.T) {
	base, target := random(1, 50_000), append(random(3, 200), random(1, 60_000)...)
	d := create(t, target, Options{}, layerOf(base))
	for _, checked := range []bool{false, true} {
		var out bytes.Buffer
		changed := layerOf(random(2, 50_000))
		changed.Digest = digest.FromBytes(base)
		_, err := Apply(context.Background(), bytes.NewReader(d), basesOf(changed), &out, ApplyOptions{Trust: true, Checked: checked})
		if (err == nil) != checked || out.Len() != len(target) {
			t.Errorf("checked %v: %d bytes were written, and the error is %v", checked, out.Len(), err)
		}
	}
}
