package entropy

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	bits, ps := make([]int, 200_000), make([]uint32, 200_000)
	for i := range bits {
		ps[i] = uint32(1 + r.IntN(65535))
		if uint32(r.IntN(65536)) < ps[i] {
			bits[i] = 1
		}
	}
	var e Encoder
	e.Reset(nil)
	for i, b := range bits {
		e.Bit(b, ps[i])
	}
	var d Decoder
	d.Reset(e.Finish())
	for i, b := range bits {
		if d.Bit(ps[i]) != b {
			t.Fatalf("bit %d is wrong", i)
		}
	}
}

func TestLogistic(t *testing.T) {
	for x := int32(-reach); x <= reach; x++ {
		want := 65536 / (1 + math.Exp(-float64(x)/256))
		if got := float64(squash(x)); math.Abs(got-want) > 24 {
			t.Fatalf("squash(%d) is %v instead of %v", x, got, want)
		}
	}
	for i, s := range stretch {
		p := (float64(i) + 0.5) / 4096
		if want := math.Log(p/(1-p)) * 256; math.Abs(float64(s)-want) > max(3, math.Abs(want)/100) && i > 8 && i < 4088 {
			t.Fatalf("stretch of %d is %d instead of %v", i, s, want)
		}
	}
}
