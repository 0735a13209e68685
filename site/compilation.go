package site

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
)

// inputsFile is what a compilation was made of, in its folder.
const inputsFile = "inputs.json"

// A compilation is a patch's manifest, Compose files, config files and documents
// as the site has compiled them: a folder compiled/NAME, which counts when active
// names it. Secrets stand in it, so that its owner alone can read it.
type compilation struct {
	manifest *lang.Manifest
	values   map[string]string
	secrets  []string
}

// compilationInputs is inputs.json.
type compilationInputs struct {
	Values  map[string]string `json:"values"`
	Secrets []string          `json:"secrets"`
}

// write puts the compilation on the disk, and gives the name of its folder. The
// name says nothing of what is in it.
func (c *compilation) write(s *Site) (string, error) {
	name := rand.Text()
	files, err := c.files()
	if err != nil {
		return "", err
	}
	dir := s.path(compiledDir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	folders := map[string]bool{s.dir: true, s.path(compiledDir): true}
	for _, entry := range slices.Sorted(maps.Keys(files)) {
		to := filepath.Join(dir, filepath.FromSlash(entry))
		for d := filepath.Dir(to); !folders[d]; d = filepath.Dir(d) {
			folders[d] = true
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return "", err
		}
		if err := atomicfile.WriteFile(to, files[entry], 0o600); err != nil {
			return "", err
		}
	}
	for d := range folders {
		if err := syncDir(d); err != nil {
			return "", err
		}
	}
	return name, nil
}

// files gives all files of the folder by name.
func (c *compilation) files() (map[string][]byte, error) {
	b, err := encode(compilationInputs{c.values, c.secrets})
	files := c.manifest.Files()
	files[inputsFile] = b
	return files, err
}

// is says whether a folder holds this compilation.
func (c *compilation) is(s *Site, name string) bool {
	dir, err := s.compilationPath(name)
	if err != nil {
		return false
	}
	files, err := c.files()
	if err != nil {
		return false
	}
	for entry, want := range files {
		got, err := readFile(filepath.Join(dir, filepath.FromSlash(entry)), int64(len(want)))
		if err != nil || !bytes.Equal(got, want) {
			return false
		}
	}
	return true
}

// compiledThere says whether a compilation can be run.
func (s *Site) compiledThere(name string) bool {
	_, err := s.compiledRelease(Release{}, name)
	return err == nil
}

// compilationPath gives the folder of a compilation; a name is checked before it
// becomes a path.
func (s *Site) compilationPath(name string) (string, error) {
	if name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		return "", fmt.Errorf("%q is no name of a compilation", name)
	}
	return s.path(compiledDir, name), nil
}

// readInputs reads what a compilation was made of.
func (s *Site) readInputs(name string) (*compilationInputs, error) {
	dir, err := s.compilationPath(name)
	if err != nil {
		return nil, err
	}
	b, err := readFile(filepath.Join(dir, inputsFile), maxManifest+maxVars)
	if err != nil {
		return nil, err
	}
	in := new(compilationInputs)
	if json.Unmarshal(b, in) != nil { // the reason may quote a secret
		return nil, fmt.Errorf("%q is damaged: activate the patch again", filepath.Join(dir, inputsFile))
	}
	return in, nil
}

// pruneCompilations removes those that active does not name, and those of patches
// that were removed. The caller holds the lock.
func (s *Site) pruneCompilations() error {
	entries, err := os.ReadDir(s.path(compiledDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	a, err := s.readActive()
	if err != nil {
		return err
	}
	var named []string
	for _, r := range a.refs() {
		if s.listed(r.Patch) {
			named = append(named, r.Values)
		}
	}
	for _, e := range entries {
		if slices.Contains(named, e.Name()) {
			continue
		}
		if err := os.RemoveAll(s.path(compiledDir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// listed says whether the site has a patch, and has it in case of doubt.
func (s *Site) listed(id string) bool {
	_, err := s.readRecord(id)
	missing := (*MissingPatchError)(nil)
	return !errors.As(err, &missing)
}

// VarsChanged says whether the site's values, as far as the active patch needs
// them, are others than those that it was activated with: Activate applies them.
func (s *Site) VarsChanged() (bool, error) {
	a, err := s.readActive()
	if err == nil && a.ID != "" {
		var changed bool
		if changed, err = s.varsChanged(a); err == nil {
			return changed, nil
		}
	}
	if err != nil {
		return false, fmt.Errorf("cannot compare the values of site %q: %w", s.Name(), err)
	}
	return false, nil
}

func (s *Site) varsChanged(a activation) (bool, error) {
	if a.Values == "" {
		return false, nil
	}
	p, err := s.openPatch(a.ID)
	if err != nil || p.Manifest == nil {
		return false, err
	}
	all, err := s.readVars()
	if err != nil {
		return false, err
	}
	in, err := s.readInputs(a.Values)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // lost, and made again by Activate
	}
	if err != nil {
		return false, err
	}
	return !maps.Equal(valuesFor(p.Manifest, all), in.Values), nil
}

// A Release is what of a patch is run: with the site's values where it has
// variables of the site.
type Release struct {
	Manifest *lang.Manifest // nil for a patch that has none
	// Contents list the files below manifest/, documents/ and conf/, which Files
	// has. Those that the site has compiled may hold secrets.
	Contents []patch.Content
	Files    fs.FS
	// Secrets are texts that nobody may be shown, longest first.
	Secrets []string
	Values  string // as in the Ref of the release
}

// ErrNotCompiled is the error for a patch with variables of the site that has
// never been active.
var ErrNotCompiled = errors.New("it has variables of the site, and was not compiled with their values: activate it")

// Release gives what of a patch is run. A patch with variables of the site must
// be active, or have been so; else the error is ErrNotCompiled.
func (s *Site) Release(id string) (*Release, error) { return s.ReleaseOf(Ref{Patch: id}) }

// ReleaseOf gives what of a patch is run with certain values. Where these are not
// kept any more, it is with those that the patch was activated with last.
func (s *Site) ReleaseOf(ref Ref) (*Release, error) {
	r, err := s.release(ref)
	if err != nil {
		return nil, fmt.Errorf("cannot open patch %q: %w", ref.Patch, err)
	}
	return r, nil
}

func (s *Site) release(ref Ref) (*Release, error) {
	p, err := s.openPatch(ref.Patch)
	if err != nil {
		return nil, err
	}
	r := &Release{Manifest: p.Manifest, Contents: p.Header.Description.Flotobuild.Contents, Files: p.FS()}
	if p.Manifest == nil || len(p.Manifest.SiteVariables) == 0 {
		return r, nil
	}
	for tries := 0; ; tries++ {
		a, err := s.readActive()
		if err != nil {
			return nil, err
		}
		name := ref.Values
		if name == "" || !slices.Contains(a.refs(), ref) {
			name = a.compiled(ref.Patch)
		}
		if name == "" {
			return nil, ErrNotCompiled
		}
		out, err := s.compiledRelease(*r, name)
		if tries < 3 && errors.Is(err, fs.ErrNotExist) {
			continue // the patch has been activated again meanwhile
		}
		return out, err
	}
}

// compiledRelease puts what the site has compiled in place of what the patch
// brought.
func (s *Site) compiledRelease(r Release, name string) (*Release, error) {
	dir, err := s.compilationPath(name)
	if err != nil {
		return nil, err
	}
	in, err := s.readInputs(name)
	if err != nil {
		return nil, err
	}
	r.Secrets, r.Values = in.Secrets, name
	b, err := readFile(filepath.Join(dir, filepath.FromSlash(lang.ManifestEntry)), maxManifest)
	if err != nil {
		return nil, err
	}
	if r.Manifest, err = lang.DecodeManifest(b); err != nil {
		return nil, err
	}
	compiled := os.DirFS(dir)
	contents, err := compiledContents(compiled)
	if err != nil {
		return nil, err
	}
	for _, c := range r.Contents {
		if !isCompiled(c.Path) {
			contents = append(contents, c)
		}
	}
	r.Contents, r.Files = contents, compiledFS{r.Files, compiled}
	return &r, nil
}

// compiledContents lists what the site has compiled, as a description would.
func compiledContents(compiled fs.FS) ([]patch.Content, error) {
	var out []patch.Content
	err := fs.WalkDir(compiled, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !isCompiled(name) {
			return err
		}
		b, err := fs.ReadFile(compiled, name)
		out = append(out, patch.NewContent(name, b))
		return err
	})
	return out, err
}

// isCompiled tells what the site compiles from what the patch brings.
func isCompiled(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return first+"/" == patch.ManifestDir || first+"/" == patch.DocumentsDir
}

// A compiledFS is a patch's folder with what the site has compiled.
type compiledFS struct{ patch, compiled fs.FS }

func (c compiledFS) of(name string) fs.FS {
	if isCompiled(name) {
		return c.compiled
	}
	return c.patch
}

// Open implements fs.FS.
func (c compiledFS) Open(name string) (fs.File, error) { return c.of(name).Open(name) }

// ReadLink implements fs.ReadLinkFS.
func (c compiledFS) ReadLink(name string) (string, error) { return fs.ReadLink(c.of(name), name) }

// Lstat implements fs.ReadLinkFS.
func (c compiledFS) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(c.of(name), name) }
