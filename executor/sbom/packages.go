package sbom

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/os/apk"
	"github.com/google/osv-scalibr/extractor/filesystem/os/dpkg"
	"github.com/google/osv-scalibr/extractor/filesystem/os/rpm"
	scalibrfs "github.com/google/osv-scalibr/fs"
	"github.com/google/osv-scalibr/log"
)

// A database makes the reader of a package database; noDatabase is for files
// that readers look at besides.
type database func(*cpb.PluginConfig) (filesystem.Extractor, error)

var (
	dpkgDatabase database = dpkg.New
	apkDatabase  database = apk.New
	rpmDatabase  database = rpm.New
	noDatabase   database
)

// A Package is one installed package.
type Package struct {
	Name    string
	Version string
	PURL    string // see https://github.com/package-url/purl-spec
}

// quiet keeps the library from printing: it has one logger for the program.
var quiet = sync.OnceFunc(func() { log.SetLogger(silence{}) })

// silence is a log.Logger.
type silence struct{}

func (silence) Errorf(string, ...any) {}
func (silence) Error(...any)          {}
func (silence) Warnf(string, ...any)  {}
func (silence) Warn(...any)           {}
func (silence) Infof(string, ...any)  {}
func (silence) Info(...any)           {}
func (silence) Debugf(string, ...any) {}
func (silence) Debug(...any)          {}

// Packages lists the packages that are installed in the image with these
// layers, base first; sorted, each once.
func Packages(ctx context.Context, layers []Layer) ([]Package, error) {
	out, err := packages(ctx, layers)
	if err != nil {
		return nil, fmt.Errorf("cannot list packages: %w", err)
	}
	return out, nil
}

func packages(ctx context.Context, layers []Layer) ([]Package, error) {
	quiet()
	dir, err := os.MkdirTemp("", "flotobuild-sbom-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := root.MkdirAll("etc", 0o700); err != nil { // without it the readers do not look for os-release
		return nil, err
	}
	files, err := collect(ctx, root, layers)
	if err != nil {
		return nil, err
	}
	var out []Package
	for _, name := range slices.Sorted(maps.Keys(files)) {
		found, err := readDatabase(ctx, root, dir, name)
		if err != nil {
			return nil, fmt.Errorf("package database %q: %w", name, err)
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.PURL, b.PURL))
	})
	return slices.Compact(out), nil
}

func readDatabase(ctx context.Context, root *os.Root, dir, name string) ([]Package, error) {
	open, _ := databaseOf(name)
	if open == nil {
		return nil, nil
	}
	e, err := open(&cpb.PluginConfig{})
	if err != nil {
		return nil, err
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	found, err := e.Extract(ctx, &filesystem.ScanInput{FS: scalibrfs.DirFS(dir), Path: name, Root: dir, Info: info, Reader: f})
	if err != nil {
		return nil, err
	}
	return named(found.Packages), nil
}

func named(found []*extractor.Package) []Package {
	var out []Package
	for _, p := range found {
		n := Package{Name: p.Name, Version: p.Version}
		if u := p.PURL(); u != nil {
			n.PURL = u.String()
		}
		out = append(out, n)
	}
	return out
}
