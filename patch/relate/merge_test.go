package relate

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
)

// randomRelease changes a release at random: images come, go and change, layers
// come back, files change their modes.
func randomRelease(r *rand.Rand, old release) release {
	out := release{maps.Clone(old.images), maps.Clone(old.files), maps.Clone(old.modes)}
	if out.images == nil {
		out = release{map[string][]string{"a": {"base"}}, map[string]string{}, map[string]patch.Mode{}}
	}
	for range 1 + r.IntN(4) {
		name := string(rune('a' + r.IntN(4)))
		layer := fmt.Sprintf("%c%d", "xz"[r.IntN(2)], r.IntN(6))
		switch r.IntN(4) {
		case 0:
			delete(out.images, name)
		case 1:
			out.images[name] = []string{"base", layer}
		case 2:
			out.images[name] = append(slices.Clone(out.images[name]), layer)
		case 3:
			out.images[name] = []string{layer}
		}
		file := fmt.Sprintf("conf/f%d", r.IntN(4))
		switch r.IntN(4) {
		case 0:
			delete(out.files, file)
			delete(out.modes, file)
		case 1:
			out.files[file], out.modes[file] = "", patch.ModeExecutable
		case 2:
			out.files[file], out.modes[file] = "root.hcl", patch.ModeSymlink
		case 3:
			out.files[file], out.modes[file] = layer, patch.ModeFile
		}
	}
	out.files["documents/d.txt"] = fmt.Sprint(r.IntN(100))
	return out
}

// A merged chain holds what a patch of the last release for the parents of the
// first would hold, byte for byte; with the initial patch, an initial one.
func TestMergeRandomChains(t *testing.T) {
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newSite(t)
		var last release
		var chain []*patch.Reader
		for range 3 + r.IntN(3) {
			last = randomRelease(r, last)
			chain = append(chain, s.write(last, chain[max(0, len(chain)-1):]...))
		}
		for _, from := range []int{0, 1 + r.IntN(len(chain)-2)} {
			for _, atHand := range []bool{true, false} {
				checkMerge(t, fmt.Sprintf("seed %d from %d at hand %v", seed, from, atHand), s, r, chain, from, atHand, last)
			}
		}
		if t.Failed() {
			return
		}
	}
}

func checkMerge(t *testing.T, name string, s *site, r *rand.Rand, chain []*patch.Reader, from int, atHand bool, last release) {
	t.Helper()
	var parents []*patch.Reader
	if from > 0 {
		parents = chain[from-1 : from]
	}
	got := merge(t, name, s, r, chain[from:], parents, atHand)
	report, err := patch.Verify(t.Context(), got, patch.VerifyOptions{Parents: headersOf(append(slices.Clone(parents), chain[len(chain)-1]))})
	if err != nil || !report.Complete() {
		t.Errorf("%s: verify: %v", name, err)
	}
	want := s.write(last, parents...)
	d := patch.Diff(&want.Header, &got.Header)
	d.Attributes = nil // the version of another run
	if !d.Equal() {
		t.Errorf("%s: differs: %+v", name, d)
	}
	if !slices.Equal(got.Description.RequiredImageIDs, want.Description.RequiredImageIDs) || !maps.Equal(got.Description.ImageMap, want.Description.ImageMap) {
		t.Errorf("%s: other images", name)
	}
	if atHand || from == 0 {
		sameDescription(t, name, got.Description, want.Description)
		sameEntries(t, name, got, want)
	}
}

// sameDescription compares what must not depend on how a patch was made.
func sameDescription(t *testing.T, name string, got, want *patch.Description) {
	t.Helper()
	x, y := *got, *want
	for _, d := range []*patch.Description{&x, &y} {
		d.ID, d.Revision, d.CreationDate, d.Flotobuild.Version, d.Flotobuild.Release = "", "", patch.Time{}, "", nil
	}
	a, _ := patch.Encode(&x)
	b, _ := patch.Encode(&y)
	if !bytes.Equal(a, b) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, a, b)
	}
}

func sameEntries(t *testing.T, name string, got, want *patch.Reader) {
	t.Helper()
	for _, c := range want.Description.Flotobuild.Contents {
		var data [2][]byte
		for i, p := range []*patch.Reader{got, want} {
			r, err := p.Open(c.Path)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if data[i], err = io.ReadAll(r); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if !bytes.Equal(data[0], data[1]) {
			t.Errorf("%s: entry %q differs", name, c.Path)
		}
	}
}

// merge merges the patches in a random order, twice, and compares the bytes.
func merge(t *testing.T, name string, s *site, r *rand.Rand, chain, parents []*patch.Reader, atHand bool) *patch.Reader {
	t.Helper()
	var files [2]string
	for i := range files {
		hand := NewHand(patch.Opener{})
		defer hand.Close()
		var headers []*patch.Header
		for _, n := range r.Perm(len(chain)) {
			p, err := hand.Patch(s.path(chain[n]))
			if err != nil {
				t.Fatal(err)
			}
			headers = append(headers, &p.Header)
		}
		ordered, err := patch.Chain(headers)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var known []*patch.Header
		if atHand {
			known = headersOf(parents)
		}
		d, err := patch.Merge(ordered, known)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if files[i], err = written(hand.Write(t.Context(), t.TempDir(), d, hand.Find(ordered[len(ordered)-1].Ref()), WriteOptions{})); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	a, _ := os.ReadFile(files[0])
	b, _ := os.ReadFile(files[1])
	if !bytes.Equal(a, b) {
		t.Errorf("%s: merged twice, other bytes", name)
	}
	return s.open(files[0])
}

func headersOf(patches []*patch.Reader) []*patch.Header {
	var out []*patch.Header
	for _, p := range patches {
		out = append(out, &p.Header)
	}
	return out
}

// What follows the last release applies on top of a merged patch, and can be
// merged with it in turn.
func TestMergedIsTheRelease(t *testing.T) {
	s := newSite(t)
	one := s.write(release{images: map[string][]string{"a": {"base", "1"}}})
	two := s.write(release{images: map[string][]string{"a": {"base", "2"}}}, one)
	three := s.write(release{images: map[string][]string{"a": {"base", "2"}, "b": {"z3"}}}, two)
	r := rand.New(rand.NewPCG(1, 1))
	merged := merge(t, "1-2", s, r, []*patch.Reader{one, two}, nil, true)
	if merged.Ref() != two.Ref() || merged.Description.ID == two.Description.ID || !strings.HasSuffix(merged.Description.ID, "-full.north") {
		t.Errorf("id %q, ref %+v", merged.Description.ID, merged.Ref())
	}
	report, err := patch.Verify(t.Context(), three, patch.VerifyOptions{Parents: headersOf([]*patch.Reader{merged})})
	if err != nil || !report.Complete() {
		t.Errorf("verify on top of the merged patch: %v", err)
	}
	if _, err := patch.Chain(headersOf([]*patch.Reader{three, merged})); err != nil {
		t.Error(err)
	}
	// A forged release is found out where the release is at hand.
	forged := *merged.Description
	forged.Flotobuild.Release = &patch.Release{ID: one.Description.ID, DescriptionDigest: one.Digest}
	hand := NewHand(patch.Opener{})
	defer hand.Close()
	hand.Patch(s.path(one))
	hand.Patch(s.path(two))
	path, err := written(hand.Write(t.Context(), t.TempDir(), &forged, two, WriteOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = patch.Verify(t.Context(), s.open(path), patch.VerifyOptions{Parents: headersOf([]*patch.Reader{one})})
	if err == nil || !strings.Contains(err.Error(), "for which it stands") {
		t.Errorf("forged release: %v", err)
	}
}

// written gives the one file that was written.
func written(paths []string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return paths[0], nil
}
