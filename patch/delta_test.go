package patch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/delta/recipe"
	"github.com/flotobuild/flotobuild/store"
)

// text is content that does not compress to nothing; n tells one from another.
func text(n int) string {
	rnd := rand.New(rand.NewPCG(uint64(n), 1))
	var b strings.Builder
	for b.Len() < 100_000 {
		fmt.Fprintf(&b, "%x\n", rnd.Uint64())
	}
	return b.String()
}

// tar gives a layer of the site unpacked.
func (s *site) tar(l Layer) []byte {
	s.t.Helper()
	z, err := store.Decompress(l.MediaType, bytes.NewReader(s.blobs[l.Digest]))
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func (s *site) base(l Layer) delta.Layer {
	b := s.tar(l)
	return delta.Layer{Descriptor: delta.Descriptor{Digest: l.DiffID, Size: int64(len(b))}, Content: bytes.NewReader(b)}
}

// asDelta makes a layer of d travel as a delta.
func (s *site) asDelta(d *Description, l Layer, bases ...Layer) {
	s.t.Helper()
	var from []delta.Layer
	for _, b := range bases {
		from = append(from, s.base(b))
	}
	var out bytes.Buffer
	info, err := delta.Create(s.t.Context(), &out, s.base(l), from, delta.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	blob := s.blobs[l.Digest]
	r, ok, err := recipe.Identify(s.t.Context(), bytes.NewReader(blob), int64(len(blob)))
	if err != nil || !ok {
		s.t.Fatalf("no recipe: %v", err)
	}
	t := LayerTransport{DiffID: l.DiffID, Kind: TransportDelta, Delta: &LayerDelta{
		Digest: s.put("", out.Bytes()).Digest, Blob: l.Digest, Size: info.Target.Size,
	}}
	if t.Delta.Recipe, err = r.MarshalBinary(); err != nil {
		s.t.Fatal(err)
	}
	for _, b := range info.Bases {
		t.Bases, t.Delta.BaseSize = append(t.Bases, b.Digest), t.Delta.BaseSize+b.Size
	}
	var contents []Content
	made := d.generated()
	for _, c := range d.Flotobuild.Contents {
		if c.Path != BlobEntry(l.Digest) && made[c.Path] == nil {
			contents = append(contents, c)
		}
	}
	for n := range d.Flotobuild.Transport {
		if d.Flotobuild.Transport[n].DiffID == l.DiffID {
			d.Flotobuild.Transport[n] = t
		}
	}
	d.SetContents(append(contents, NewDeltaContent(t.Delta.Digest, int64(out.Len()))))
}

// deltaPatch writes an initial patch, and one on top of it with a delta.
func deltaPatch(t testing.TB, s *site) (one, two *Reader) {
	t.Helper()
	old, now := s.layer("app", text(1)), s.layer("app", text(1)+"more")
	one = mustOpen(t, s.write(s.describe(1, []Image{s.image("control", old)})))
	d := s.describe(2, []Image{s.image("control", now)}, &one.Header)
	s.asDelta(d, now, old)
	return one, mustOpen(t, s.write(d))
}

// basesOf gives the layers that a patch carries whole.
func (s *site) basesOf(p *Reader) func(context.Context, digest.Digest) (io.ReaderAt, int64, error) {
	return func(_ context.Context, id digest.Digest) (io.ReaderAt, int64, error) {
		for _, l := range layersOf(p.Description.Flotobuild.Images) {
			if l.DiffID == id {
				b := s.tar(l)
				return bytes.NewReader(b), int64(len(b)), nil
			}
		}
		return nil, 0, fs.ErrNotExist
	}
}

func TestDelta(t *testing.T) {
	s := newSite(t)
	one, two := deltaPatch(t, s)
	if one.Description.Flotobuild.FormatVersion != 1 || two.Description.Flotobuild.FormatVersion != 2 {
		t.Errorf("format versions %d and %d", one.Description.Flotobuild.FormatVersion, two.Description.Flotobuild.FormatVersion)
	}
	parents := []*Header{&one.Header}
	report, err := Verify(t.Context(), two, VerifyOptions{Parents: parents})
	if err != nil || report.Deltas != 1 || report.Applied != 0 || !report.Complete() {
		t.Errorf("by the frame: %+v, %v", report, err)
	}
	report, err = Verify(t.Context(), two, VerifyOptions{Parents: parents, Bases: s.basesOf(one)})
	if err != nil || report.Deltas != 1 || report.Applied != 1 || report.Layers != 1 {
		t.Errorf("applied: %+v, %v", report, err)
	}
	nobody := func(context.Context, digest.Digest) (io.ReaderAt, int64, error) { return nil, 0, fs.ErrNotExist }
	report, err = Verify(t.Context(), two, VerifyOptions{Parents: parents, Bases: nobody})
	if err != nil || report.Applied != 0 {
		t.Errorf("without bases: %+v, %v", report, err)
	}
	if two.Size() > one.Size()/2 {
		t.Errorf("the patch has %d bytes, its parent %d", two.Size(), one.Size())
	}
}

// A patch for other parents has its layers whole, and the lower version.
func TestRebaseDropsDeltas(t *testing.T) {
	_, two := deltaPatch(t, newSite(t))
	d, err := Rebase(&two.Header, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Check(); err != nil || d.Flotobuild.FormatVersion != 1 || len(d.Deltas()) > 0 {
		t.Errorf("version %d, %v: %v", d.Flotobuild.FormatVersion, d.Flotobuild.Transport, err)
	}
	for _, c := range d.Flotobuild.Contents {
		if strings.HasPrefix(c.Path, DeltasDir) {
			t.Errorf("it lists %q", c.Path)
		}
	}
}

// Where the new parent has what a delta builds on, the delta stays.
func TestRebaseKeepsDeltas(t *testing.T) {
	s := newSite(t)
	one, two := deltaPatch(t, s)
	other := mustOpen(t, s.write(s.describe(5, []Image{s.image("control", layersOf(one.Description.Flotobuild.Images)[0]), s.image("x")})))
	d, err := Rebase(&two.Header, []*Header{&other.Header})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Check(); err != nil || len(d.Deltas()) != 1 || d.Flotobuild.FormatVersion != 2 {
		t.Errorf("%v: %v", d.Flotobuild.Transport, err)
	}
	lacks := mustOpen(t, s.write(s.describe(6, []Image{s.image("control", s.layer("app", "x"))})))
	if d, err = Rebase(&two.Header, []*Header{&lacks.Header}); err != nil {
		t.Fatal(err)
	}
	if err := d.Check(); err != nil || len(d.Deltas()) != 0 {
		t.Errorf("without the base: %v: %v", d.Flotobuild.Transport, err)
	}
}

// A merged chain counts a layer that came as a delta as brought by the chain.
func TestMergeKnowsDeltas(t *testing.T) {
	s := newSite(t)
	one, two := deltaPatch(t, s)
	now := layersOf(two.Description.Flotobuild.Images)[0]
	three := mustOpen(t, s.write(s.describe(3, []Image{s.image("control", now, s.layer("new", text(3)))}, &two.Header)))
	for name, hand := range map[string][]*Header{"alone": nil, "with the parent": {&one.Header}} {
		d, err := Merge([]*Header{&two.Header, &three.Header}, hand)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Check(); err != nil || len(d.Flotobuild.Transport) != 2 || len(d.Deltas()) != 1 {
			t.Errorf("%s: %v, %v", name, d.Flotobuild.Transport, err)
		}
	}
}

func TestDeltaRefused(t *testing.T) {
	first := func(d *Description) *LayerTransport { return &d.Flotobuild.Transport[0] }
	for name, c := range map[string]struct {
		spoil func(s *site, d *Description)
		want  string
	}{
		"no delta":        {func(_ *site, d *Description) { first(d).Delta = nil }, "does not say what it is"},
		"other blob":      {func(_ *site, d *Description) { first(d).Delta.Blob = digest.FromString("x") }, "no image has a layer"},
		"other layer":     {func(_ *site, d *Description) { first(d).DiffID = digest.FromString("x") }, "with that diff id"},
		"other entry":     {func(_ *site, d *Description) { first(d).Delta.Digest = digest.FromString("x") }, "not in the patch"},
		"no recipe":       {func(_ *site, d *Description) { first(d).Delta.Recipe = nil }, "how the layer is compressed"},
		"negative":        {func(_ *site, d *Description) { first(d).Delta.Size = -1 }, "its sizes are"},
		"an exbibyte":     {func(_ *site, d *Description) { first(d).Delta.Size = 1 << 60 }, "not between 0 and"},
		"bases of one":    {func(_ *site, d *Description) { first(d).Delta.BaseSize = 1 << 60 }, "not between 0 and"},
		"a base twice":    {func(_ *site, d *Description) { first(d).Bases = append(first(d).Bases, first(d).Bases[0]) }, "stands twice"},
		"itself":          {func(_ *site, d *Description) { first(d).Bases[0] = first(d).DiffID }, "is the layer itself"},
		"of a config":     {func(_ *site, d *Description) { first(d).Delta.Blob = d.Flotobuild.Images[0].Manifests[0].Config.Digest }, "no image has a layer"},
		"malformed base":  {func(_ *site, d *Description) { first(d).Bases[0] = "sha256:../x" }, "digest"},
		"no parent":       {func(_ *site, d *Description) { d.Flotobuild.Parents, d.ParentID = nil, "" }, "initial patch"},
		"twice":           {func(_ *site, d *Description) { d.Flotobuild.Transport = append(d.Flotobuild.Transport, *first(d)) }, "not in the patch"},
		"forgotten":       {func(_ *site, d *Description) { d.Flotobuild.Transport = nil; d.Flotobuild.FormatVersion = 1 }, "belongs to no layer"},
		"low version":     {func(_ *site, d *Description) { d.Flotobuild.FormatVersion = 1 }, "formatVersion is 1 instead of 2"},
		"other bases":     {func(_ *site, d *Description) { first(d).Bases = nil }, "another one than the description says"},
		"other size":      {func(_ *site, d *Description) { first(d).Delta.Size++ }, "another one than the description says"},
		"other base size": {func(_ *site, d *Description) { first(d).Delta.BaseSize++ }, "another one than the description says"},
		"unknown recipe":  {func(_ *site, d *Description) { first(d).Delta.Recipe = []byte{2, 99, 1, 20, 0} }, "take the flotobuild that made the patch"},
		"wrong recipe":    {func(_ *site, d *Description) { first(d).Delta.Recipe = []byte{2, 1, 2, 23, 1} }, "its recipe is wrong"},
		"also whole": {func(_ *site, d *Description) {
			t := first(d)
			l := layersOf(d.Flotobuild.Images)[0]
			d.Flotobuild.Transport = append(d.Flotobuild.Transport, LayerTransport{DiffID: t.DiffID, Kind: TransportFull})
			d.SetContents(append(listed(d), NewBlobContent(l.Digest, l.Size)))
		}, "stands there twice"},
		"no delta at all": {func(s *site, d *Description) {
			garbage := s.put("", []byte("no delta"))
			t := first(d)
			old := DeltaEntry(t.Delta.Digest)
			t.Delta.Digest = garbage.Digest
			all := listed(d)
			for n := range all {
				if all[n].Path == old {
					all[n] = NewDeltaContent(garbage.Digest, garbage.Size)
				}
			}
			d.SetContents(all)
		}, "malformed delta"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			one, two := deltaPatch(t, s)
			d := *two.Description
			d.ID += "x"
			d.Flotobuild.Transport = append([]LayerTransport{}, d.Flotobuild.Transport...)
			copied := *d.Flotobuild.Transport[0].Delta
			d.Flotobuild.Transport[0].Delta = &copied
			d.Flotobuild.Transport[0].Bases = append([]digest.Digest{}, d.Flotobuild.Transport[0].Bases...)
			c.spoil(s, &d)
			err := d.Check()
			if err == nil {
				_, err = Verify(t.Context(), mustOpen(t, s.write(&d)), VerifyOptions{Parents: []*Header{&one.Header}, Bases: s.basesOf(one)})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// listed gives the entries that do not follow from the description.
func listed(d *Description) []Content {
	var out []Content
	made := d.generated()
	for _, c := range d.Flotobuild.Contents {
		if made[c.Path] == nil {
			out = append(out, c)
		}
	}
	return out
}

// A parent that has not got the bases is no parent for the patch.
func TestDeltaWithoutBase(t *testing.T) {
	s := newSite(t)
	old, now := s.layer("app", text(1)), s.layer("app", text(1)+"more")
	one := mustOpen(t, s.write(s.describe(1, []Image{s.image("control", s.layer("app", "other"))})))
	d := s.describe(2, []Image{s.image("control", now)}, &one.Header)
	s.asDelta(d, now, old)
	_, err := Verify(t.Context(), mustOpen(t, s.write(d)), VerifyOptions{Parents: []*Header{&one.Header}})
	if err == nil || !strings.Contains(err.Error(), "a base of the delta") {
		t.Errorf("got %v", err)
	}
}

func TestDeltaOutput(t *testing.T) {
	s := newSite(t)
	one, two := deltaPatch(t, s)
	l := layersOf(two.Description.Flotobuild.Images)[0]
	tr := two.Description.Deltas()[l.Digest]
	bases := func(id digest.Digest) (io.ReaderAt, int64, error) { return s.basesOf(one)(t.Context(), id) }
	packed := s.blobs[tr.Delta.Digest]
	var out bytes.Buffer
	if err := tr.Apply(t.Context(), bytes.NewReader(packed), bases, &out, l.Size); err != nil || !bytes.Equal(out.Bytes(), s.blobs[l.Digest]) {
		t.Errorf("the blob: %v", err)
	}
	out.Reset()
	if err := tr.Unpack(t.Context(), bytes.NewReader(packed), bases, &out); err != nil || !bytes.Equal(out.Bytes(), s.tar(l)) {
		t.Errorf("the tar: %v", err)
	}
	full := errors.New("disk full")
	if err := tr.Apply(t.Context(), bytes.NewReader(packed), bases, failing{full}, l.Size); !errors.Is(err, full) {
		t.Errorf("on a full disk: %v", err)
	}
	if err := tr.Apply(t.Context(), io.MultiReader(bytes.NewReader(packed), strings.NewReader("x")), bases, io.Discard, l.Size); err == nil || !strings.Contains(err.Error(), "1 bytes follow") {
		t.Errorf("with a tail: %v", err)
	}
	for _, n := range []int{0, 10, len(packed) / 2, len(packed) - 1} {
		if err := tr.Apply(t.Context(), bytes.NewReader(packed[:n]), bases, io.Discard, l.Size); !errors.Is(err, delta.ErrMalformed) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tr.Apply(ctx, bytes.NewReader(packed), bases, io.Discard, l.Size); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

type failing struct{ err error }

// Write implements io.Writer.
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// A disk without room for the parent's layers says nothing about a patch.
func TestVerifyWithoutRoom(t *testing.T) {
	one, two := deltaPatch(t, newSite(t))
	full := func(context.Context, digest.Digest) (io.ReaderAt, int64, error) { return nil, 0, syscall.ENOSPC }
	report, err := Verify(t.Context(), two, VerifyOptions{Parents: []*Header{&one.Header}, Bases: full})
	if report != nil || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%+v, %v", report, err)
	}
}
