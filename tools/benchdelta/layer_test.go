package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestLayer(t *testing.T) {
	var deb bytes.Buffer
	w := tar.NewWriter(&deb)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755},
		{Typeflag: tar.TypeDir, Name: "./lib/", Mode: 0o755},
		{Typeflag: tar.TypeReg, Name: "./lib/b", Mode: 0o644, Size: 2, Uid: 7},
		{Typeflag: tar.TypeLink, Name: "./lib/c", Linkname: "./lib/b"},
		{Typeflag: tar.TypeSymlink, Name: "./usr/lib/d", Linkname: "b"},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			io.WriteString(w, "xy")
		}
	}
	w.Close()
	var tars [2]bytes.Buffer
	for i := range tars {
		writeTestLayer(t, &tars[i], deb.Bytes())
	}
	if !bytes.Equal(tars[0].Bytes(), tars[1].Bytes()) {
		t.Error("two layers of the same package differ")
	}
	want := "etc/ etc/issue=hello lib>usr/lib usr/ usr/lib/ usr/lib/b=xy usr/lib/c>usr/lib/b usr/lib/d>b"
	if got := listing(t, &tars[0]); got != want {
		t.Errorf("the layer has\n%s\ninstead of\n%s", got, want)
	}
}

func writeTestLayer(t *testing.T, w io.Writer, deb []byte) {
	t.Helper()
	l, err := newLayer(time.Unix(1e9, 5))
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	for _, add := range []func() error{
		func() error { return l.addTar(bytes.NewReader(deb)) },
		func() error {
			return l.add(tar.Header{Typeflag: tar.TypeSymlink, Name: "lib", Linkname: "usr/lib"}, nil)
		},
		func() error { return l.addBytes("etc/issue", 0o644, "hello") },
		func() error { return l.write(w) },
	} {
		if err := add(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.addFile("short", 0o644, l.built, 3, strings.NewReader("x")); err == nil {
		t.Error("a file that is too short was added")
	}
}

// listing names the entries of a tar.
func listing(t *testing.T, r io.Reader) string {
	t.Helper()
	var names []string
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return strings.Join(names, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		content, _ := io.ReadAll(tr)
		name := h.Name
		switch {
		case h.Linkname != "":
			name += ">" + h.Linkname
		case len(content) > 0:
			name += "=" + string(content)
		}
		names = append(names, name)
	}
}

func TestControl(t *testing.T) {
	var control bytes.Buffer
	w := tar.NewWriter(&control)
	for name, content := range map[string]string{"./control": "Package: p\nVersion: 1\n", "./md5sums": "x"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, content)
	}
	w.Close()
	l, err := newLayer(time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	var status strings.Builder
	if err := l.addControl(&control, &status); err != nil {
		t.Fatal(err)
	}
	if got := status.String(); got != "Package: p\nStatus: install ok installed\nVersion: 1\n\n" {
		t.Errorf("status %q", got)
	}
	if l.entries["var/lib/dpkg/info/p.md5sums"] == nil || l.entries["var/lib/dpkg/info/p.control"] != nil {
		t.Errorf("entries %v", l.entries)
	}
}

func TestNames(t *testing.T) {
	for file, want := range map[string][2]string{
		"bash_5.2.15-2+b13_amd64.deb": {"bash", "5.2.15-2+b13"},
		"git_1%3a2.39_amd64.deb":      {"git", "1:2.39"},
	} {
		if name, version, ok := packageOf(file); !ok || name != want[0] || version != want[1] {
			t.Errorf("%s: %q %q", file, name, version)
		}
	}
	if _, _, ok := packageOf("x.deb"); ok {
		t.Error("a name without a version is taken")
	}
	for command, want := range map[string]string{"a.example/x/cmd/caddy": "caddy", "a.example/nats/v2": "nats"} {
		if got := commandName(command); got != want {
			t.Errorf("%s is called %q", command, got)
		}
	}
}
