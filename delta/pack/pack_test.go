package pack

import (
	"bytes"
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
		for content := Any; content <= Changes; content++ {
			for effort := Best; effort <= Fastest; effort++ {
				c, packed := Pack(raw, content, effort)
				got, err := Unpack(c, packed, len(raw))
				if err != nil || !bytes.Equal(got, raw) {
					t.Errorf("%s as %d with coder %d: %v", name, content, c, err)
				}
				if len(packed) > len(raw) {
					t.Errorf("%s has %d bytes, and %d packed", name, len(raw), len(packed))
				}
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
