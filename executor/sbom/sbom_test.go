package sbom

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	spdxjson "github.com/spdx/tools-golang/json"
)

// layer makes a layer; names that end with a slash are folders, contents that
// begin with -> are links.
func layer(t *testing.T, files ...string) Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for n := 0; n < len(files); n += 2 {
		h := &tar.Header{Name: files[n], Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(files[n+1]))}
		target, link := strings.CutPrefix(files[n+1], "->")
		switch {
		case strings.HasSuffix(h.Name, "/"):
			h.Typeflag = tar.TypeDir
		case link:
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			io.WriteString(w, files[n+1])
		}
	}
	w.Close()
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
}

func deb(name, version string) string {
	return fmt.Sprintf("Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\n\n", name, version)
}

const (
	dpkgStatus = "var/lib/dpkg/status"
	debian     = "ID=debian\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\n"
	alpine     = "P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\n\nP:busybox\nV:1.37.0-r9\nA:x86_64\nL:GPL-2.0-only\n\n"
)

func TestPackages(t *testing.T) {
	base := layer(t, "etc/os-release", debian, "./var/lib/dpkg/", "", dpkgStatus, deb("libc6", "2.41-6")+deb("bash", "5.2"))
	for name, c := range map[string]struct {
		layers []Layer
		want   string
	}{
		"none":          {nil, ""},
		"no database":   {[]Layer{layer(t, "bin/sh", "x")}, ""},
		"debian":        {[]Layer{base}, "bash 5.2, libc6 2.41-6"},
		"later layer":   {[]Layer{base, layer(t, "./"+dpkgStatus, deb("bash", "5.3"))}, "bash 5.3"},
		"rooted names":  {[]Layer{base, layer(t, "/"+dpkgStatus, deb("bash", "5.3"))}, "bash 5.3"},
		"other files":   {[]Layer{base, layer(t, "app", "x")}, "bash 5.2, libc6 2.41-6"},
		"whiteout":      {[]Layer{base, layer(t, "var/lib/dpkg/.wh.status", "")}, ""},
		"of its folder": {[]Layer{base, layer(t, "var/lib/.wh.dpkg", "")}, ""},
		"opaque":        {[]Layer{base, layer(t, "var/lib/dpkg/status", deb("a", "1"), "var/lib/.wh..wh..opq", "")}, "a 1"},
		"opaque root":   {[]Layer{base, layer(t, ".wh..wh..opq", "")}, ""},
		"a link now":    {[]Layer{base, layer(t, dpkgStatus, "->/dev/null")}, ""},
		"a file above":  {[]Layer{base, layer(t, "var/lib/dpkg", "x")}, ""},
		"not the same":  {[]Layer{base, layer(t, "var/lib/.wh.dpk", "")}, "bash 5.2, libc6 2.41-6"},
		"without dpkg":  {[]Layer{layer(t, "var/lib/dpkg/status.d/tzdata", deb("tzdata", "2026a"), "var/lib/dpkg/status.d/tzdata.md5sums", "x")}, "tzdata 2026a"},
		"alpine":        {[]Layer{layer(t, "lib/apk/db/installed", alpine)}, "busybox 1.37.0-r9, musl 1.2.5-r0"},
		"both at once":  {[]Layer{base, layer(t, "lib/apk/db/installed", alpine)}, "bash 5.2, busybox 1.37.0-r9, libc6 2.41-6, musl 1.2.5-r0"},
		"outside":       {[]Layer{layer(t, "../../var/lib/dpkg/status", deb("bash", "5"))}, "bash 5"},
	} {
		found, err := Packages(t.Context(), c.layers)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, p := range found {
			got = append(got, p.Name+" "+p.Version)
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: got %q, want %q", name, text, c.want)
		}
	}
	found, err := Packages(t.Context(), []Layer{base})
	if err != nil || len(found) != 2 || !strings.HasPrefix(found[0].PURL, "pkg:deb/debian/bash@5.2?") {
		t.Errorf("%v, %v", found, err)
	}
}

func TestPackagesFail(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	wrong := errors.New("gone")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx   context.Context
		layer Layer
	}{
		"cannot open": {t.Context(), func(context.Context) (io.ReadCloser, error) { return nil, wrong }},
		"no tar": {t.Context(), func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(strings.Repeat("x", 1024))), nil
		}},
		"damaged rpm": {t.Context(), layer(t, "var/lib/rpm/Packages", "x")},
		"cancelled":   {cancelled, layer(t, dpkgStatus, deb("bash", "5"))},
	} {
		if _, err := Packages(c.ctx, []Layer{c.layer}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// The reference library reads what was written, and equal inputs give equal
// bytes.
func TestSPDX(t *testing.T) {
	i := Image{Name: "web", Platform: "linux/amd64", Manifest: digest.FromString("m")}
	list := []Package{{"bash", "5.2", "pkg:deb/debian/bash@5.2?arch=amd64"}, {"ö <&>", "1", ""}}
	at := time.Date(2026, 3, 1, 12, 0, 0, 5, time.FixedZone("", 3600))
	b, err := SPDX(i, list, "flotobuild 1.0.0", at)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := SPDX(i, list, "flotobuild 1.0.0", at)
	if !bytes.Equal(b, again) {
		t.Error("two documents differ")
	}
	doc, err := spdxjson.Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Packages) != 3 || len(doc.Relationships) != 3 || doc.CreationInfo.Created != "2026-03-01T11:00:00Z" {
		t.Errorf("%s", b)
	}
}
