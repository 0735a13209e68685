package delta

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A release is what a random image holds: files by name, in layers.
type release struct {
	r      *rand.Rand
	layers [][]file
}

type file struct {
	tar.Header
	content []byte
	form    int // see odd_test.go
}

// newRelease makes a first release.
func newRelease(r *rand.Rand) *release {
	v := &release{r: r}
	for l := range 1 + r.IntN(3) {
		var layer []file
		for i := range r.IntN(12) {
			layer = append(layer, v.file(fmt.Sprintf("l%d/file-%d", l, i)))
		}
		v.layers = append(v.layers, layer)
	}
	return v
}

func (v *release) file(name string) file {
	f := file{Header: tar.Header{Name: name, Mode: 0o644, ModTime: time.Unix(int64(v.r.IntN(1<<31)), 0)}}
	switch v.r.IntN(16) {
	case 0:
		f.Typeflag, f.Linkname = tar.TypeLink, "l0/file-0"
	case 1:
		f.Typeflag, f.Linkname = tar.TypeSymlink, strings.Repeat("../", v.r.IntN(60))+"target"
	case 2:
		f.Typeflag, f.Devmajor, f.Devminor = tar.TypeChar, 1, int64(v.r.IntN(9))
	case 3:
		f.Name = name[:3] + ".wh." + name[3:]
	case 4:
		f.Name += strings.Repeat("/long", 20+v.r.IntN(60))
	case 5:
		f.PAXRecords = map[string]string{"SCHILY.xattr.user.note": strings.Repeat("é", v.r.IntN(300)+1)}
	case 6:
		f.Format = tar.FormatGNU
		f.Name += strings.Repeat("/gnu", 30)
	case 7, 8, 9:
		f = v.odd(f)
	}
	if f.Typeflag == 0 {
		f.content = v.bytes()
	}
	f.Size = int64(len(f.content))
	return f
}

// bytes makes a content: none, a byte, a text, noise, a gzip file or a program.
func (v *release) bytes() []byte {
	n := v.r.IntN(20000)
	switch v.r.IntN(8) {
	case 0:
		return nil
	case 1:
		return []byte{byte(n)}
	case 2, 3:
		return random(uint64(n), n)
	case 4:
		var z bytes.Buffer
		w, _ := gzip.NewWriterLevel(&z, 1+n%9)
		_, _ = w.Write(v.text(n))
		_ = w.Close()
		return z.Bytes()
	case 5:
		return v.program()
	}
	return v.text(n)
}

func (v *release) text(n int) []byte {
	var b []byte
	for len(b) < n {
		b = strconv.AppendInt(append(b, "a line of text with number "...), int64(v.r.IntN(50)), 10)
		b = append(b, '\n')
	}
	return b
}

// program makes an ELF file with code that calls about.
func (v *release) program() []byte {
	code := make([]byte, 4096)
	for i := 0; i+8 <= len(code); i += 8 {
		code[i] = 0xE8
		binary.LittleEndian.PutUint32(code[i+1:], uint32(v.r.IntN(len(code))-i-5))
	}
	b := make([]byte, 64, 8192)
	copy(b, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint16(b[0x10:], 2)
	le.PutUint16(b[0x12:], 62)
	le.PutUint64(b[0x28:], uint64(64+len(code)))
	le.PutUint16(b[0x3a:], 64)
	le.PutUint16(b[0x3c:], 2)
	b = append(b, code...)
	b = append(b, make([]byte, 64)...)
	s := make([]byte, 64)
	le.PutUint32(s[4:], 1)
	le.PutUint64(s[8:], 6)
	le.PutUint64(s[16:], 0x1000)
	le.PutUint64(s[24:], 64)
	le.PutUint64(s[32:], uint64(len(code)))
	return append(b, s...)
}

// change makes the next release out of v.
func (v *release) change() *release {
	next := &release{r: v.r, layers: make([][]file, 1+v.r.IntN(3))}
	for _, layer := range v.layers {
		for _, f := range layer {
			to := &next.layers[v.r.IntN(len(next.layers))]
			switch v.r.IntN(9) {
			case 0:
				continue
			case 1:
				f.Name = "renamed/" + f.Name
			case 2:
				f.content = f.content[:v.r.IntN(len(f.content)+1)]
			case 3, 4:
				f.content = v.edited(f.content)
			case 5:
				f.ModTime = f.ModTime.Add(time.Duration(v.r.IntN(100)) * time.Second)
			case 6:
				*to = append(*to, v.file(fmt.Sprintf("new/%d", v.r.IntN(1000))))
			}
			f.Size = int64(len(f.content))
			*to = append(*to, f)
		}
	}
	return next
}

func (v *release) edited(b []byte) []byte {
	b = bytes.Clone(b)
	for range v.r.IntN(6) {
		if len(b) == 0 {
			break
		}
		at := v.r.IntN(len(b))
		switch v.r.IntN(3) {
		case 0:
			b[at]++
		case 1:
			b = append(b[:at], append(random(uint64(at), v.r.IntN(30)), b[at:]...)...)
		default:
			b = append(b[:at], b[min(len(b), at+v.r.IntN(50)):]...)
		}
	}
	return b
}

// tars gives the layers; some are damaged, and no tars any more.
func (v *release) tars(t testing.TB) (all []Layer) {
	for _, layer := range v.layers {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		for _, f := range layer {
			f.writeTo(t, w, &out)
		}
		_ = w.Close()
		all = append(all, layerOf(v.worn(out.Bytes())))
	}
	return all
}

// TestRandomPairs makes pairs of random images and takes each through a delta;
// FLOTOBUILD_TEST_PAIRS says how many.
func TestRandomPairs(t *testing.T) {
	pairs := 150
	if n, err := strconv.Atoi(os.Getenv("FLOTOBUILD_TEST_PAIRS")); err == nil {
		pairs = n
	}
	for seed := range pairs {
		r := rand.New(rand.NewPCG(uint64(seed), 8))
		old := newRelease(r)
		bases := old.tars(t)
		for _, target := range old.change().tars(t) {
			b := make([]byte, target.Size)
			_, _ = target.Content.ReadAt(b, 0)
			d := create(t, b, Options{Parallel: 1 + seed%3}, bases...)
			if !bytes.Equal(applied(t, d, bases...), b) {
				t.Fatalf("pair %d came back otherwise", seed)
			}
		}
	}
}

func FuzzCreate(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	v := newRelease(r)
	for _, base := range v.tars(f) {
		for _, target := range v.change().tars(f) {
			a, _ := io.ReadAll(io.NewSectionReader(base.Content, 0, base.Size))
			b, _ := io.ReadAll(io.NewSectionReader(target.Content, 0, target.Size))
			f.Add(a, b)
		}
	}
	f.Fuzz(func(t *testing.T, base, target []byte) {
		d := create(t, target, Options{}, layerOf(base))
		if !bytes.Equal(applied(t, d, layerOf(base)), target) {
			t.Error("the target came back otherwise")
		}
	})
}

// FuzzApply has blocks whose digests are right and whose content may be
// anything.
func FuzzApply(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	v := newRelease(r)
	bases := v.tars(f)
	base, _ := io.ReadAll(io.NewSectionReader(bases[0].Content, 0, bases[0].Size))
	for _, target := range append(v.change().tars(f), layerOf(v.program())) {
		b, _ := io.ReadAll(io.NewSectionReader(target.Content, 0, target.Size))
		var buf bytes.Buffer
		d := bytes.NewReader(create(f, b, Options{}, layerOf(base)))
		if _, err := readHeader(d); err != nil {
			f.Fatal(err)
		}
		payload, err := readFrame(d, &buf)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.Clone(payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		b, err := parseBlock(payload)
		if err != nil {
			return
		}
		out := &checked{w: io.Discard, hash: noHash{}, left: min(b.length, 1<<24)}
		_ = newPlayer(newSpace([]Layer{layerOf(base)}), out, func() {}).play(t.Context(), b)
	})
}

// noHash is no hash.
type noHash struct{}

func (noHash) Write(p []byte) (int, error) { return len(p), nil }
func (noHash) Sum([]byte) []byte           { return nil }
func (noHash) Reset()                      {}
func (noHash) Size() int                   { return 0 }
func (noHash) BlockSize() int              { return 1 }
