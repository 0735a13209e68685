package pack

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
)

func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var numbers []byte
	for range 20_000 {
		numbers = appendNumber(numbers, r.Uint64()>>(2+r.IntN(62)))
	}
	text, _ := os.ReadFile("lzencode.go")
	return map[string][]byte{
		"empty": nil, "one": {7}, "short": []byte("abababababab"), "noise": noise, "twice": append(noise, noise...),
		"zeros": make([]byte, 1<<20), "numbers": numbers, "text": bytes.Repeat(text, 3),
	}
}

func appendNumber(b []byte, v uint64) []byte {
	for ; v >= 128; v >>= 7 {
		b = append(b, byte(v)|128)
	}
	return append(b, byte(v))
}

func TestRoundTrip(t *testing.T) {
	for name, raw := range samples() {
		last := len(raw)
		for effort := Fastest; effort <= Best; effort++ {
			p := Pack(raw).Tighten(raw, effort)
			got, err := Unpack(p.Coder, p.Bytes, len(raw))
			if err != nil || !bytes.Equal(got, raw) {
				t.Errorf("%s with coder %d: %v", name, p.Coder, err)
			}
			if len(p.Bytes) > last {
				t.Errorf("%s has %d bytes with effort %d, and %d with less", name, len(p.Bytes), effort, last)
			}
			last = len(p.Bytes)
		}
	}
}

func TestRepeats(t *testing.T) {
	for name, raw := range samples() {
		for _, fast := range []bool{false, true} {
			got, err := unpackRepeats(packRepeats(raw, fast), len(raw), fast)
			if err != nil || !bytes.Equal(got, raw) {
				t.Errorf("%s, fast: %v: %v", name, fast, err)
			}
		}
	}
}

func BenchmarkRepeats(b *testing.B) {
	raw, err := os.ReadFile(os.Args[0])
	if err != nil {
		b.Fatal(err)
	}
	var packed []byte
	b.Run("Pack", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			packed = packRepeats(raw, false)
		}
	})
	b.Run("Unpack", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			if _, err := unpackRepeats(packed, len(raw), false); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Logf("%d of %d", len(packed), len(raw))
}

func FuzzUnpack(f *testing.F) {
	for _, raw := range samples() {
		raw = raw[:min(len(raw), 5000)]
		p := Pack(raw)
		f.Add(byte(p.Coder), p.Bytes, uint32(len(raw)))
		f.Add(byte(RepeatsFast), packRepeats(raw, true), uint32(len(raw)))
		f.Add(byte(Repeats), packRepeats(raw, false), uint32(len(raw)))
	}
	f.Fuzz(func(t *testing.T, c byte, packed []byte, size uint32) {
		size &= 1<<16 - 1
		raw, err := Unpack(Coder(c), packed, int(size))
		if err == nil && len(raw) != int(size) || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("coder %d gave %d bytes instead of %d: %v", c, len(raw), size, err)
		}
	})
}
