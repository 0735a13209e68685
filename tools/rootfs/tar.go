package main

import (
	"archive/tar"
	"io"
	"time"
)

// created is the time of every file: the bytes must not depend on the clock.
var created = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	passwd = "root:x:0:0:root:/root:/bin/sh\nplant:x:1000:1000:plant:/srv:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"
	group  = "root:x:0:\nplant:x:1000:\nnogroup:x:65534:\n"
)

// writeTar writes the root file system: /bin/sh, links to it, and the few
// files and folders that programs expect. Device nodes are absent on purpose:
// ordinary users cannot unpack them, and container runtimes bring their own.
func writeTar(w io.Writer, shell []byte, links []string) error {
	t := &tarWriter{w: tar.NewWriter(w)}
	t.dir("bin", 0o755)
	for _, name := range links {
		t.link("bin/"+name, "sh")
	}
	t.file("bin/sh", 0o755, shell)
	t.dir("etc", 0o755)
	t.file("etc/group", 0o644, []byte(group))
	t.file("etc/passwd", 0o644, []byte(passwd))
	t.dir("proc", 0o755)
	t.dir("root", 0o700)
	t.dir("srv", 0o755)
	t.dir("sys", 0o755)
	t.dir("tmp", 0o1777)
	t.dir("usr", 0o755)
	t.link("usr/bin", "../bin")
	t.dir("var", 0o755)
	if t.err != nil {
		return t.err
	}
	return t.w.Close()
}

// tarWriter keeps the first error, so that the list above reads as a list.
type tarWriter struct {
	w   *tar.Writer
	err error
}

func (t *tarWriter) dir(name string, mode int64) {
	t.entry(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode}, nil)
}

func (t *tarWriter) link(name, target string) {
	t.entry(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, nil)
}

func (t *tarWriter) file(name string, mode int64, content []byte) {
	t.entry(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))}, content)
}

func (t *tarWriter) entry(h *tar.Header, content []byte) {
	if t.err != nil {
		return
	}
	h.ModTime, h.Format = created, tar.FormatUSTAR
	if t.err = t.w.WriteHeader(h); t.err == nil {
		_, t.err = t.w.Write(content)
	}
}
