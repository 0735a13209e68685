package patch

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// smallOnly opens everything but blobs.
func (s *site) smallOnly(ctx context.Context, c Content) (io.ReadCloser, error) {
	if _, blob := s.blobs[c.Digest()]; blob {
		return nil, errors.New("a blob is read")
	}
	return s.open(ctx, c)
}

func TestMeasure(t *testing.T) {
	s := newSite(t)
	s.conf["conf/large"] = strings.Repeat("x", maxDeflate+1)
	s.conf["conf/random"] = string(digest.FromString("incompressible"))
	base := s.layer("etc/os-release", "ID=plant\n")
	first := s.describe(1, []Image{s.image("gateway", base, s.layer("app", "gateway 1"))})
	check := func(d *Description) string {
		t.Helper()
		n, err := Measure(t.Context(), d, s.smallOnly)
		if err != nil {
			t.Fatal(err)
		}
		file := s.write(d)
		if st, err := os.Stat(file); err != nil || st.Size() != n {
			t.Errorf("%d bytes measured; the file has %d, %v", n, st.Size(), err)
		}
		return file
	}
	parent := mustOpen(t, check(first))
	check(s.describe(2, []Image{s.image("gateway", base, s.layer("app", "gateway 2"))}, &Header{Description: parent.Description, Digest: parent.Digest}))
}

func TestMeasureRefuses(t *testing.T) {
	s := newSite(t)
	d := s.describe(1, []Image{s.image("gateway", s.layer("app", "1"))})
	s.conf["conf/plant.hcl"] += "changed"
	if _, err := Measure(t.Context(), d, s.smallOnly); err == nil {
		t.Error("a file that is not the listed one is measured")
	}
	if _, err := Measure(t.Context(), d, func(context.Context, Content) (io.ReadCloser, error) { return nil, os.ErrPermission }); !errors.Is(err, os.ErrPermission) {
		t.Errorf("an entry that cannot be opened: %v", err)
	}
	d.SiteName = ""
	if _, err := Measure(t.Context(), d, s.open); err == nil {
		t.Error("a description without a site is measured")
	}
}
