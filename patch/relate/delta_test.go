package relate

import (
	"errors"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers/layerstest"
)

// writtenFrom merges or rebases and gives the checked result.
func writtenFrom(t *testing.T, d *patch.Description, release *layerstest.Patch, paths ...*layerstest.Patch) (*patch.Reader, error) {
	t.Helper()
	h := NewHand(patch.Opener{})
	defer h.Close()
	for _, p := range paths {
		if _, err := h.Patch(p.Path); err != nil {
			t.Fatal(err)
		}
	}
	files, err := h.Write(t.Context(), t.TempDir(), d, release.Reader, WriteOptions{})
	if err != nil {
		return nil, err
	}
	r, err := patch.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, nil
}

func TestWriteWhole(t *testing.T) {
	m := layerstest.New(t)
	one := m.Initial(m.Layer(1))
	two := m.Delta(one, m.Layer(2))
	three := m.Delta(two, m.Layer(3))
	d, err := patch.Rebase(&three.Header, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writtenFrom(t, d, three, three, two); !errors.As(err, new(*MissingError)) {
		t.Errorf("without the first: %v", err)
	}
	r, err := writtenFrom(t, d, three, one, two, three)
	if err != nil {
		t.Fatal(err)
	}
	if report, err := patch.Verify(t.Context(), r, patch.VerifyOptions{}); err != nil || report.Layers != 1 || report.Deltas != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestMergeDeltas(t *testing.T) {
	m := layerstest.New(t)
	one := m.Initial(m.Layer(1))
	two := m.Delta(one, m.Layer(2))
	three := m.Delta(two, m.Layer(3))
	d, err := patch.Merge([]*patch.Header{&two.Header, &three.Header}, []*patch.Header{&one.Header})
	if err != nil {
		t.Fatal(err)
	}
	r, err := writtenFrom(t, d, three, one, two, three)
	if err != nil {
		t.Fatal(err)
	}
	// The delta of the third builds on a layer that the first does not have.
	if report, err := patch.Verify(t.Context(), r, patch.VerifyOptions{Parents: []*patch.Header{&one.Header}}); err != nil || report.Layers != 1 || !report.Complete() {
		t.Errorf("%+v, %v", report, err)
	}
	again := m.Whole(two, two.Layer) // another release with the same layer
	if d, err = patch.Merge([]*patch.Header{&two.Header, &again.Header}, nil); err != nil {
		t.Fatal(err)
	}
	if r, err = writtenFrom(t, d, again, two, again); err != nil {
		t.Fatal(err)
	}
	h := NewHand(patch.Opener{})
	defer h.Close()
	if _, err := h.Patch(one.Path); err != nil {
		t.Fatal(err)
	}
	report, err := patch.Verify(t.Context(), r, patch.VerifyOptions{Parents: []*patch.Header{&one.Header}, Bases: h.Tar})
	if err != nil || report.Applied != 1 || !report.Complete() {
		t.Errorf("%+v, %v", report, err)
	}
}
