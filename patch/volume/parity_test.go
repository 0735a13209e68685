package volume

import (
	"bytes"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every choice of lost or damaged volumes restores the exact file while it has
// at most M, and is refused by name when it has more.
func TestEveryLoss(t *testing.T) {
	for _, c := range []struct{ data, parity, size int }{
		{1, 1, 5000}, {1, 2, 5000}, {2, 1, 5001}, {3, 2, 10000}, {4, 3, 9001}, {5, 2, 1 << 14}, {6, 2, 12007},
	} {
		t.Run(fmt.Sprintf("%d+%d", c.data, c.parity), func(t *testing.T) {
			b := content(c.size)
			paths := exactly(t, b, c.data, c.parity)
			restore := save(t, paths)
			for lost := range 1 << len(paths) {
				number := bits.OnesCount(uint(lost))
				if number > c.parity+1 {
					continue
				}
				for n, p := range paths {
					if lost>>n&1 == 1 {
						if err := harms[(lost+n)%len(harms)].do(p); err != nil {
							t.Fatal(err)
						}
					}
				}
				if number <= c.parity {
					join(t, filepath.Dir(paths[0]), b)
				} else if _, err := join(t, filepath.Dir(paths[0]), nil); !namesAll(err, paths, lost) {
					t.Errorf("lost %b: %v", lost, err)
				}
				restore()
			}
		})
	}
}

func namesAll(err error, paths []string, lost int) bool {
	if err == nil {
		return false
	}
	if strings.Contains(err.Error(), "no volume") { // not one is left
		return true
	}
	for n, p := range paths {
		if lost>>n&1 == 1 && !strings.Contains(err.Error(), filepath.Base(p)) {
			return false
		}
	}
	return true
}

func TestRandomLossOfManyVolumes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ data, parity int }{{200, 56}, {255, 1}, {1, 255}, {40, 10}} {
		b := content(600_000 + c.data)
		paths := exactly(t, b, c.data, c.parity)
		restore := save(t, paths)
		for range 4 {
			for _, n := range r.Perm(len(paths))[:c.parity] {
				harms[r.IntN(len(harms))].do(paths[n])
			}
			join(t, filepath.Dir(paths[0]), b)
			restore()
		}
	}
}

// The parity is the one that docs/patch-format.md defines, computed here from
// the definition.
func TestParityByDefinition(t *testing.T) {
	const data, parity = 5, 3
	b := content(4999)
	paths := exactly(t, b, data, parity)
	s, err := Find(paths[:1], nil)
	if err != nil {
		t.Fatal(err)
	}
	var shards [data][]byte
	for n := range shards {
		shards[n] = make([]byte, s.Index.Payload)
		copy(shards[n], b[int64(n)*s.Index.Payload:])
	}
	m := matrix(data, parity)
	for p := range parity {
		want := make([]byte, s.Index.Payload)
		for n := range shards {
			for i, v := range shards[n] {
				want[i] ^= mul(m[data+p][n], v)
			}
		}
		got, _ := os.ReadFile(paths[data+p])
		if !bytes.Equal(got[:s.Index.Payload], want) {
			t.Errorf("parity volume %d is another", p+1)
		}
	}
}

// mul multiplies in GF(2⁸) modulo x⁸+x⁴+x³+x²+1.
func mul(a, b byte) byte {
	var out byte
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			out ^= a
		}
		if a&0x80 != 0 {
			a = a<<1 ^ 0x1d
		} else {
			a <<= 1
		}
	}
	return out
}

func pow(a byte, n int) byte {
	out := byte(1)
	for range n {
		out = mul(out, a)
	}
	return out
}

// matrix is V·T⁻¹: V[r][c] = r^c, T its first rows.
func matrix(data, parity int) [][]byte {
	v := make([][]byte, data+parity)
	for r := range v {
		v[r] = make([]byte, data)
		for c := range v[r] {
			v[r][c] = pow(byte(r), c)
		}
	}
	// Columns are combined until the first rows are those of the identity: that
	// multiplies by T⁻¹ from the right.
	for c := range data {
		for other := c; v[c][c] == 0; other++ {
			for r := range v {
				v[r][c], v[r][other] = v[r][other], v[r][c]
			}
		}
		scale := pow(v[c][c], 254)
		for r := range v {
			v[r][c] = mul(v[r][c], scale)
		}
		for other := range data {
			factor := v[c][other]
			if other == c || factor == 0 {
				continue
			}
			for r := range v {
				v[r][other] ^= mul(factor, v[r][c])
			}
		}
	}
	return v
}
