package store

import (
	"archive/tar"
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
)

func timedTar(t *testing.T, times ...time.Time) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, at := range times {
		h := &tar.Header{
			Name: string(rune('a' + i)), Mode: 0o4755, Uid: 7, Size: 1, ModTime: at, Format: tar.FormatPAX,
			PAXRecords: map[string]string{"SCHILY.xattr.user.x": "y"},
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "x")
	}
	w.Close()
	return b.Bytes()
}

func TestRetime(t *testing.T) {
	latest := time.Unix(1767225600, 0)
	old, late := latest.Add(-time.Hour), latest.Add(time.Hour+time.Nanosecond)
	s := newStore(t)
	for name, c := range map[string]struct {
		in   []byte
		all  bool
		want []time.Time // nil where nothing changes
	}{
		"old":     {timedTar(t, old, latest), false, nil},
		"late":    {timedTar(t, old, late), false, []time.Time{old, latest}},
		"all":     {timedTar(t, old, late), true, []time.Time{latest, latest}},
		"all the": {timedTar(t, latest), true, nil},
	} {
		l, err := s.Retime(t.Context(), bytes.NewReader(c.in), ocispec.MediaTypeImageLayer, None, latest, c.all)
		if err != nil || (l == nil) != (c.want == nil) {
			t.Errorf("%s: %+v, %v", name, l, err)
			continue
		}
		if l == nil {
			continue
		}
		b, err := s.Blob(t.Context(), l.Descriptor.Digest)
		if err != nil {
			t.Fatal(err)
		}
		r := tar.NewReader(io.NewSectionReader(b, 0, b.Size()))
		for _, want := range c.want {
			h, err := r.Next()
			if err != nil || !h.ModTime.Equal(want) || h.Mode != 0o4755 || h.Uid != 7 || h.PAXRecords["SCHILY.xattr.user.x"] != "y" {
				t.Errorf("%s: %+v, %v", name, h, err)
			}
		}
		b.Close()
	}
	whole := timedTar(t, late)
	cut := verify.NewReader(bytes.NewReader(whole[:600]), "x", int64(len(whole)), digest.FromBytes(whole))
	if _, err := s.Retime(t.Context(), cut, ocispec.MediaTypeImageLayer, None, latest, false); err == nil {
		t.Error("cut off: no error")
	}
}
