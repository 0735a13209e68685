package main

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/rogpeppe/go-internal/testscript"
)

// cmdNeeds fails in continuous integration, which has to install what the
// scripts need; elsewhere the script goes on, to skip itself.
func cmdNeeds(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "needs PROGRAM")
	if os.Getenv("CI") != "" {
		ts.Fatalf("%s is not installed: .ci/run must do it", args[0])
	}
}

// cmdValidImages reads an OCI layout with another tool and validates every
// image: digests, sizes, and layers against diff ids. The tool's own validation
// knows gzip only; for other layers it reads, and this compares.
func cmdValidImages(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "validimages LAYOUT COUNT")
	l, err := layout.FromPath(ts.MkAbs(args[0]))
	ts.Check(err)
	index, err := l.ImageIndex()
	ts.Check(err)
	manifest, err := index.IndexManifest()
	ts.Check(err)
	if strconv.Itoa(len(manifest.Manifests)) != args[1] {
		ts.Fatalf("%s has %d images, not %s", args[0], len(manifest.Manifests), args[1])
	}
	for _, d := range manifest.Manifests {
		img, err := index.Image(d.Digest)
		ts.Check(err)
		validImage(ts, img)
	}
}

func validImage(ts *testscript.TestScript, img v1.Image) {
	layers, err := img.Layers()
	ts.Check(err)
	packed := 0
	for _, l := range layers {
		mediaType, err := l.MediaType()
		ts.Check(err)
		if strings.HasSuffix(string(mediaType), "gzip") {
			packed++
			continue
		}
		ts.Check(validate.Image(img, validate.Fast))
		want, err := l.DiffID()
		ts.Check(err)
		r, err := l.Uncompressed()
		ts.Check(err)
		got, _, err := v1.SHA256(r)
		ts.Check(err)
		ts.Check(r.Close())
		if got != want {
			ts.Fatalf("a layer has diff id %s, not %s", got, want)
		}
	}
	if packed == len(layers) {
		ts.Check(validate.Image(img))
	}
}

// cmdStreamable reads a ZIP from its start without looking at its directory, as
// the readers of old do.
func cmdStreamable(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "streamable FILE")
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	r := bufio.NewReader(f)
	n := 0
	for ; ; n++ {
		var h struct {
			Signature               uint32
			Version, Flags, Method  uint16
			Time, Date              uint16
			CRC, Packed, Size       uint32
			NameLength, ExtraLength uint16
		}
		ts.Check(binary.Read(r, binary.LittleEndian, &h))
		if h.Signature != 0x04034b50 {
			break
		}
		name := make([]byte, h.NameLength)
		_, err := io.ReadFull(r, name)
		ts.Check(err)
		_, err = r.Discard(int(h.ExtraLength))
		ts.Check(err)
		if h.Flags&8 != 0 {
			ts.Fatalf("%s: entry %s has its sizes behind the data", args[0], name)
		}
		sum := crc32.NewIEEE()
		packed := io.LimitReader(r, int64(h.Packed))
		content := packed
		if h.Method == 8 {
			content = flate.NewReader(packed)
		}
		size, err := io.Copy(sum, content)
		ts.Check(err)
		if size != int64(h.Size) || sum.Sum32() != h.CRC {
			ts.Fatalf("%s: entry %s has %d bytes with sum %x; its header says %d and %x", args[0], name, size, sum.Sum32(), h.Size, h.CRC)
		}
		_, err = io.Copy(io.Discard, packed)
		ts.Check(err)
	}
	if n < 5 {
		ts.Fatalf("%s: %d entries only", args[0], n)
	}
}
