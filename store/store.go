package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/verify"
)

// A Store is one folder of blobs.
type Store struct{ dir string }

// Create opens the store in dir and makes it first where there is none. It
// removes what killed processes left.
func Create(dir string) (*Store, error) {
	s := &Store{dir}
	if err := s.create(); err != nil {
		return nil, fmt.Errorf("cannot create store: %w", err)
	}
	return Open(dir)
}

func (s *Store) create() error {
	if err := os.MkdirAll(s.blobs(), 0o755); err != nil {
		return err
	}
	if _, err := atomicfile.Sweep(s.dir); err != nil {
		return err
	}
	if err := writeMissing(s.path(ocispec.ImageIndexFile), emptyIndex()); err != nil {
		return err
	}
	return writeMissing(s.path(ocispec.ImageLayoutFile), LayoutFile())
}

// writeMissing leaves a file alone that another process wrote first.
func writeMissing(path string, data []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	f, err := atomicfile.Create(filepath.Dir(path), 0o666)
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Publish(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Open opens the store in dir, which must be an OCI image layout.
func Open(dir string) (*Store, error) {
	s := &Store{dir}
	b, err := readFile(s.path(ocispec.ImageLayoutFile), maxDocument)
	if err != nil {
		return nil, fmt.Errorf("cannot open store: %q is not an OCI image layout: %w", dir, err)
	}
	var l ocispec.ImageLayout
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, fmt.Errorf("cannot open store: cannot parse %q: %w", s.path(ocispec.ImageLayoutFile), err)
	}
	if l.Version != ocispec.ImageLayoutVersion {
		return nil, fmt.Errorf("cannot open store: %q has layout version %q, and only %q is known", dir, l.Version, ocispec.ImageLayoutVersion)
	}
	return s, nil
}

// LayoutFile is the content of the file oci-layout.
func LayoutFile() []byte {
	return []byte(`{"imageLayoutVersion":"` + ocispec.ImageLayoutVersion + `"}`)
}

// Dir is the folder of the store.
func (s *Store) Dir() string { return s.dir }

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Store) blobs() string { return filepath.Join(s.dir, ocispec.ImageBlobsDir, "sha256") }

// blob is the path of a blob; a digest is checked before it becomes a path.
func (s *Store) blob(d digest.Digest) (string, error) {
	if err := verify.CheckDigest(d); err != nil {
		return "", err
	}
	return filepath.Join(s.blobs(), d.Encoded()), nil
}
