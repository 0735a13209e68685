package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/flotobuild/flotobuild/envelope"
)

// maxContent bounds what is read of an inline blob, in bytes. It is above the
// limit of devices, so that a check can tell the real size of what is a little
// too large.
const maxContent = 1 << 20

type blobKind int

const (
	inlineBlob blobKind = iota
	volumeBlob
)

// A blobFlag is a blob as a flag names it.
type blobFlag struct {
	kind   blobKind
	secret bool
	text   string
}

// blobFlags are the blobs in the order of the flags, whichever they are.
type blobFlags []blobFlag

// flag gives the value of a flag that adds blobs of a kind.
func (b *blobFlags) flag(kind blobKind, secret bool) *blobValue {
	return &blobValue{list: b, kind: kind, secret: secret}
}

// A blobValue implements pflag.Value.
type blobValue struct {
	list   *blobFlags
	kind   blobKind
	secret bool
}

// String gives the default, of which there is none.
func (*blobValue) String() string { return "" }

// Type names the flag's kind in help.
func (*blobValue) Type() string { return "blob" }

// Set adds a blob.
func (v *blobValue) Set(text string) error {
	if _, _, ok := strings.Cut(text, "="); v.kind == volumeBlob && !ok {
		return fmt.Errorf("write NAME=UUID")
	}
	*v.list = append(*v.list, blobFlag{v.kind, v.secret, text})
	return nil
}

// read makes blobs of the flags.
func (b *blobFlags) read(stdin io.Reader) ([]envelope.Blob, error) {
	var out []envelope.Blob
	for _, f := range *b {
		blob, err := f.blob(stdin)
		if err != nil {
			return nil, err
		}
		out = append(out, blob)
	}
	return out, nil
}

func (f *blobFlag) blob(stdin io.Reader) (envelope.Blob, error) {
	name, value, named := strings.Cut(f.text, "=")
	if f.kind == volumeBlob {
		id, image, _ := strings.Cut(value, ",")
		return envelope.Blob{Name: name, Volume: &envelope.Volume{ID: id, Image: image}, Encrypt: f.secret}, nil
	}
	if !named {
		name, value = filepath.Base(f.text), f.text
	}
	content, err := readContent(stdin, value)
	return envelope.Blob{Name: name, Content: content, Encrypt: f.secret}, err
}

func readContent(stdin io.Reader, name string) ([]byte, error) {
	var b []byte
	var err error
	if name == "-" {
		b, err = readLimited(stdin, name, maxContent)
	} else {
		b, err = readSmall(name, maxContent)
	}
	if err != nil {
		return nil, &hintError{err, fmt.Sprintf("inline blobs have at most %d bytes as base64; larger ones belong into a volume (-volume)", envelope.MaxInline)}
	}
	return b, nil
}

// addMetadata puts metadata to the blobs that it names.
func (f *sealFlags) addMetadata() error {
	for _, m := range []struct {
		flag  string
		texts []string
		set   func(*envelope.Blob, string)
	}{
		{"metadata", f.fileMetadata, func(b *envelope.Blob, text string) { b.Metadata = text }},
		{"artifact-metadata", f.artifactMetadata, func(b *envelope.Blob, text string) { b.ArtifactMetadata = text }},
		{"secret-artifact-metadata", f.encryptedOne, func(b *envelope.Blob, text string) { b.ArtifactMetadata, b.EncryptMetadata = text, true }},
	} {
		for _, text := range m.texts {
			name, value, _ := strings.Cut(text, "=")
			b := f.blobNamed(name)
			if b == nil {
				return &hintError{fmt.Errorf("-%s names %q, which is no blob of the envelope", m.flag, name), "write NAME=TEXT with the name of a blob"}
			}
			m.set(b, value)
		}
	}
	return nil
}

func (f *sealFlags) blobNamed(name string) *envelope.Blob {
	for n := range f.definition.Blobs {
		if f.definition.Blobs[n].Name == name {
			return &f.definition.Blobs[n]
		}
	}
	return nil
}
