package site

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
)

// maxManifest bounds manifest.json, in bytes.
const maxManifest = 64 << 20

// A Patch is a patch of the site, as it came.
type Patch struct {
	Entry
	// Header is the description, with its exact bytes.
	Header *patch.Header
	// Manifest says which containers run where; ManifestBytes are those of
	// manifest/manifest.json. Both are nil for a patch that has none.
	Manifest      *lang.Manifest
	ManifestBytes []byte

	dir string
}

// Patch opens a patch by its id. The error for one that the site does not have
// is a *MissingPatchError.
func (s *Site) Patch(id string) (*Patch, error) {
	p, err := s.openPatch(id)
	if err != nil {
		return nil, fmt.Errorf("cannot open patch %q: %w", id, err)
	}
	return p, nil
}

func (s *Site) openPatch(id string) (*Patch, error) {
	r, err := s.readRecord(id)
	if err != nil {
		return nil, err
	}
	a, err := s.readActive()
	if err != nil {
		return nil, err
	}
	dir, err := s.patchPath(id)
	if err != nil {
		return nil, err
	}
	p := &Patch{Entry: Entry{*r, r.ID == a.ID, r.ID == s.previous(a)}, dir: dir}
	if p.Header, err = readHeader(dir); err != nil {
		return nil, err
	}
	if p.Header.Digest != r.DescriptionDigest {
		return nil, fmt.Errorf("its description has digest %q, and had %q when it was imported: the store was damaged, remove the folder patches/%s from it and import the patch again", p.Header.Digest, r.DescriptionDigest, id)
	}
	p.ManifestBytes, err = readFile(filepath.Join(dir, filepath.FromSlash(lang.ManifestEntry)), maxManifest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, nil
	case err != nil:
		return nil, err
	}
	p.Manifest, err = lang.DecodeManifest(p.ManifestBytes)
	return p, err
}

// readHeader reads the description in a patch's folder.
func readHeader(dir string) (*patch.Header, error) {
	b, err := readFile(filepath.Join(dir, patch.DescriptionEntry), patch.MaxDescription)
	if err != nil {
		return nil, err
	}
	return patch.DecodeHeader(b)
}

// Dir is the folder with everything that the patch holds besides blobs: paths
// that are relative in its Compose files hold there. It must not be changed.
func (p *Patch) Dir() string { return p.dir }

// FS gives that folder.
func (p *Patch) FS() fs.FS { return os.DirFS(p.dir) }

// Conf gives the copy of the project, as it was in the patch below conf/.
func (p *Patch) Conf() fs.FS { return os.DirFS(filepath.Join(p.dir, patch.ConfDir)) }

// Documents gives the rendered documents: what the patch has below documents/.
func (p *Patch) Documents() fs.FS { return os.DirFS(filepath.Join(p.dir, patch.DocumentsDir)) }

// Images gives the images that the patch requires. All their blobs are in
// [Site.Blobs].
func (p *Patch) Images() []patch.Image { return p.Header.Description.Flotobuild.Images }
