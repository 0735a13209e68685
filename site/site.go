package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/flotobuild/flotobuild/patch/sign"
	"github.com/flotobuild/flotobuild/store"
)

// Names in the store, see the package's documentation.
const (
	configFile  = "site.json"
	patchesDir  = "patches"
	stagingDir  = "staging"
	activeFile  = "active"
	historyFile = "history"
	journalFile = "journal"
	lockFile    = "lock"
	varsFile    = "vars.json"
	compiledDir = "compiled"
)

// ErrNoSite is the error for a folder that is no store of a site.
var ErrNoSite = errors.New("it is no store of a site")

// A Site is the store of one site. It holds no file open and no state of its
// own: any number of them, in any number of processes, may be one store's.
type Site struct {
	dir    string
	config *config
	blobs  *store.Store
}

// InitOptions describe a new site.
type InitOptions struct {
	Name string // as patches name it
	// Trust is a trust policy as sign.ParsePolicy reads it; without one, patches
	// need no signature.
	Trust []byte
	By    string    // who does it, for the history
	Now   time.Time // zero means the time of the call
}

// Init makes the store of a site in dir, which may exist when it is empty, and
// opens it.
func Init(dir string, o InitOptions) (*Site, error) {
	if err := initDir(dir, o); err != nil {
		return nil, fmt.Errorf("cannot make the store of a site: %w", err)
	}
	s, err := Open(dir)
	if err != nil {
		return nil, err
	}
	if err := s.first(o); err != nil {
		return nil, fmt.Errorf("cannot make the store of a site: %w", err)
	}
	return s, nil
}

// first makes the files that are written to in place, so that a full disk does
// not keep anybody from locking the store later.
func (s *Site) first(o InitOptions) error {
	unlock, err := s.Lock(context.Background(), "init")
	if err != nil {
		return err
	}
	err = s.blobs.ReplaceImages(context.Background(), nil)
	if err == nil {
		err = s.record(Event{Time: orNow(o.Now), Action: ActionInit, By: o.By})
	}
	return errors.Join(err, unlock())
}

func initDir(dir string, o InitOptions) error {
	if err := checkName(o.Name); err != nil {
		return err
	}
	c := &config{FormatVersion: formatVersion, Name: o.Name, Created: orNow(o.Now)}
	if o.Trust != nil {
		c.TrustPolicy = json.RawMessage(o.Trust)
		if _, err := c.policy(); err != nil {
			return err
		}
	}
	if err := checkEmpty(dir); err != nil {
		return err
	}
	for _, name := range []string{patchesDir, stagingDir} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o777); err != nil {
			return err
		}
	}
	if _, err := store.Create(dir); err != nil {
		return err
	}
	return c.write(dir) // last: what has it is a store
}

// checkEmpty refuses folders that hold anything but what an Init leaves that
// was killed.
func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(dir, configFile)); err == nil {
		return fmt.Errorf("%q is one already", dir)
	}
	known := map[string]bool{patchesDir: true, stagingDir: true, "blobs": true, "oci-layout": true, "index.json": true}
	for _, e := range entries {
		if !known[e.Name()] && !temporary(e.Name()) {
			return fmt.Errorf("%q is not empty: it has %q", dir, e.Name())
		}
	}
	return nil
}

// Open opens the store in dir.
func Open(dir string) (*Site, error) {
	s, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open site %q: %w", dir, err)
	}
	return s, nil
}

func open(dir string) (*Site, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c, err := readConfig(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoSite
	}
	if err != nil {
		return nil, err
	}
	blobs, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	return &Site{dir: dir, config: c, blobs: blobs}, nil
}

// Name is that of the site, as patches name it.
func (s *Site) Name() string { return s.config.Name }

// Dir is the folder of the store, absolute.
func (s *Site) Dir() string { return s.dir }

// Blobs gives the OCI image layout with all images. It is to be read only:
// Import and GC alone change it.
func (s *Site) Blobs() *store.Store { return s.blobs }

// Policy reads the trust policy, which may have been replaced since Open; nil
// where signatures are not demanded.
func (s *Site) Policy() (*sign.Policy, error) {
	c, err := readConfig(s.dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the trust policy of site %q: %w", s.Name(), err)
	}
	return c.policy()
}

func (s *Site) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// orNow gives a time as records have it: UTC, without what a clock's reading
// adds.
func orNow(t time.Time) time.Time {
	if t.IsZero() {
		t = time.Now()
	}
	return t.UTC().Round(time.Millisecond)
}

func readAll(r io.Reader, name string, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%q has more than %d bytes", name, limit)
	}
	return b, err
}
