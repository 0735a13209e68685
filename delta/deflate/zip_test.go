package deflate

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"slices"
	"testing"
)

// archive makes a ZIP archive whose entries a method compresses.
func archive(t *testing.T, m method) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return m.open(out) })
	for _, name := range []string{"mixture", "short", "empty", "prose-32768"} {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Write(samples()[name])
	}
	f, err := w.CreateHeader(&zip.FileHeader{Name: "stored", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	f.Write(noise(1, 5000, 256))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestIdentifyOpensArchives(t *testing.T) {
	for _, m := range []method{{encoderZlib, 6, 8}, {encoderZlib, 9, 8}, {encoderGo, 6, 0}, {encoderGNU, 6, 0}} {
		t.Run(m.String(), func(t *testing.T) {
			compressed := archive(t, m)
			for name, file := range map[string][]byte{
				"alone":         compressed,
				"comment":       withComment(compressed, "a comment"),
				"entry damaged": damaged(compressed, samples()["short"]),
			} {
				r, content, ok, err := Identify(context.Background(), file, noLimit)
				if err != nil || !ok {
					t.Fatalf("%s: no recipe: %v", name, err)
				}
				if !bytes.Contains(content, samples()["mixture"]) || !bytes.Contains(content, samples()["prose-32768"]) {
					t.Errorf("%s: the content does not hold the entries", name)
				}
				if opened := bytes.Contains(content, samples()["short"]); opened != (name != "entry damaged") {
					t.Errorf("%s: content opened: %v", name, opened)
				}
				mustEncode(t, r, file, content)
			}
		})
	}
}

func withComment(archive []byte, comment string) []byte {
	b := append(slices.Clone(archive), comment...)
	b[len(archive)-2] = byte(len(comment))
	return b
}

// damaged changes the compressed bytes of an entry.
func damaged(archive, content []byte) []byte {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		panic(err)
	}
	b := slices.Clone(archive)
	for _, f := range r.File {
		if f.UncompressedSize64 == uint64(len(content)) {
			at, _ := f.DataOffset()
			b[at] = 7 // a block of no kind
		}
	}
	return b
}

func TestIdentifyRefusesArchives(t *testing.T) {
	good := archive(t, method{encoderZlib, 6, 8})
	var stored bytes.Buffer
	w := zip.NewWriter(&stored)
	w.Close()
	for name, file := range map[string][]byte{
		"cut":         good[:len(good)/2],
		"magic only":  []byte("PK\x03\x04"),
		"empty":       stored.Bytes(),
		"wrong place": append(slices.Clone(good[:100]), good...),
	} {
		if _, content, ok, err := Identify(context.Background(), file, noLimit); err != nil || ok && !bytes.Contains(content, samples()["short"]) {
			t.Errorf("%s: got %v, %v", name, ok, err)
		}
	}
	if _, _, ok, err := Identify(context.Background(), good, int64(len(good))); ok || err != nil {
		t.Errorf("over the limit: got %v, %v", ok, err)
	}
}
