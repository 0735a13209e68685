package sbom

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/flotobuild/flotobuild/internal/verify"
)

// A Layer opens the uncompressed tar of a layer.
type Layer func(context.Context) (io.ReadCloser, error)

// maxFile bounds one package database, in bytes, and maxFiles their number.
const (
	maxFile  = 2 << 30
	maxFiles = 100_000
)

// Marks of files that a layer removes, as the OCI image specification has them.
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// databases are the files that tell of packages, with who reads them.
var databases = map[string]database{
	"var/lib/dpkg/status":                   dpkgDatabase,
	"lib/apk/db/installed":                  apkDatabase,
	"usr/lib/apk/db/installed":              apkDatabase,
	"var/lib/rpm/Packages":                  rpmDatabase,
	"var/lib/rpm/Packages.db":               rpmDatabase,
	"var/lib/rpm/rpmdb.sqlite":              rpmDatabase,
	"usr/lib/sysimage/rpm/Packages":         rpmDatabase,
	"usr/lib/sysimage/rpm/Packages.db":      rpmDatabase,
	"usr/lib/sysimage/rpm/rpmdb.sqlite":     rpmDatabase,
	"usr/lib/sysimage/rpm/rpmdb.sqlite-shm": noDatabase,
	"etc/os-release":                        noDatabase,
	"usr/lib/os-release":                    noDatabase,
}

// statusDir holds a file for each package in images without dpkg.
const statusDir = "var/lib/dpkg/status.d"

// databaseOf says who reads a file; false for files without meaning here.
func databaseOf(name string) (database, bool) {
	if path.Dir(name) == statusDir && !strings.HasSuffix(name, ".md5sums") && !strings.HasSuffix(name, ".preinst") {
		return dpkgDatabase, true
	}
	d, ok := databases[name]
	return d, ok
}

// A collection is what was found so far: the layer that each file is from.
type collection struct {
	root  *os.Root
	files map[string]int
	layer int
}

// collect leaves the databases of the image in root and returns their names.
func collect(ctx context.Context, root *os.Root, layers []Layer) (map[string]int, error) {
	c := &collection{root: root, files: make(map[string]int)}
	for n, open := range layers {
		c.layer = n
		if err := c.read(ctx, open); err != nil {
			return nil, fmt.Errorf("cannot read layer %d: %w", n+1, err)
		}
	}
	return c.files, nil
}

func (c *collection) read(ctx context.Context, open Layer) error {
	r, err := open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	t := tar.NewReader(verify.ContextReader(ctx, r))
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.entry(h, t); err != nil {
			return fmt.Errorf("file %q: %w", h.Name, err)
		}
	}
}

// entry takes in one entry of a layer: what stands there removes what lower
// layers have at its place.
func (c *collection) entry(h *tar.Header, r io.Reader) error {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	dir, base := path.Split(name)
	switch {
	case base == opaque:
		return c.remove(path.Clean(dir), false)
	case strings.HasPrefix(base, whiteout):
		return c.remove(dir+strings.TrimPrefix(base, whiteout), true)
	case h.Typeflag == tar.TypeDir:
		return nil
	}
	if err := c.remove(name, true); err != nil {
		return err
	}
	if _, ok := databaseOf(name); !ok || h.Typeflag != tar.TypeReg {
		return nil
	}
	return c.keep(name, h.Size, r)
}

// remove forgets what lower layers have below name, and at name itself.
func (c *collection) remove(name string, itself bool) error {
	for f, layer := range c.files {
		below := name == "." || strings.HasPrefix(f, name+"/") || itself && f == name
		if layer == c.layer || !below {
			continue
		}
		delete(c.files, f)
		if err := c.root.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// keep writes a file, in place of one of the same name earlier in the layer.
func (c *collection) keep(name string, size int64, r io.Reader) error {
	switch {
	case size > maxFile:
		return fmt.Errorf("it has %d bytes, and %d are the limit of a package database", size, int64(maxFile))
	case len(c.files) == maxFiles:
		return fmt.Errorf("the image has more than %d package databases", maxFiles)
	}
	if err := c.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := c.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	c.files[name] = c.layer
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
