package lang

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// MaxSourceSize is the size in bytes beyond which a file of configuration or
// variables is refused: it is parsed recursively and evaluated in memory.
const MaxSourceSize = 1 << 20

// maxDataSize is the same for files that functions read.
const maxDataSize = 32 << 20

const (
	nativeSuffix = ".floto.hcl"
	jsonSuffix   = ".floto.hcl.json"
)

// A folder is the configuration that stands in one folder: a project or a
// module, read but not evaluated.
type folder struct {
	dir    string // relative to the project folder
	blocks []*block
	absent hcl.Diagnostics              // why there is nothing
	funcs  map[string]function.Function // its own ones, by function blocks
	// calls are all that expressions can call, by the folder of their file; made
	// when they are needed, and never changed.
	calls map[string]map[string]function.Function
}

// paths are the values of path.*, which is relative to the folder as all paths
// of a configuration are.
func (f *folder) paths() map[string]cty.Value {
	root := "."
	if f.dir != "." {
		root = strings.TrimSuffix(strings.Repeat("../", strings.Count(f.dir, "/")+1), "/")
	}
	return map[string]cty.Value{"root": cty.StringVal(root), "module": cty.StringVal(".")}
}

// folder reads the configuration files in dir, once for all who ask. The
// diagnostics say that there is no such configuration; what is wrong in the
// files is reported.
func (p *project) folder(dir string) (*folder, hcl.Diagnostics) {
	if f := p.folders[dir]; f != nil {
		return f, f.absent
	}
	out := &folder{dir: dir}
	p.folders[dir] = out
	out.absent = p.readFolder(out)
	return out, out.absent
}

// readFolder reads a folder's files. The diagnostics say that there are none.
func (p *project) readFolder(out *folder) hcl.Diagnostics {
	dir := out.dir
	entries, err := fs.ReadDir(p.fsys, dir)
	if err != nil {
		return hcl.Diagnostics{folderError("Cannot read the project folder", fmt.Sprintf("The project folder cannot be listed: %s.", err))}
	}
	base, overrides := configurationFiles(dir, entries)
	if len(base) == 0 {
		return hcl.Diagnostics{folderError("No configuration files",
			"The project folder holds no *.floto.hcl file. Change to the folder of a project, name it with -chdir=DIR, or make a new project with: flotobuild init")}
	}
	r := reader{}
	for _, name := range base {
		out.blocks = append(out.blocks, p.readBlocks(name, r)...)
	}
	r.partial = true
	for _, name := range overrides {
		p.override(out, p.readBlocks(name, r))
	}
	out.funcs = p.userFunctions(out)
	return nil
}

// configurationFiles lists a folder's configuration files in lexical order,
// apart from those that override others.
func configurationFiles(dir string, entries []fs.DirEntry) (base, overrides []string) {
	for _, e := range entries {
		n := e.Name()
		stem := strings.TrimSuffix(strings.TrimSuffix(n, ".json"), nativeSuffix)
		switch {
		case e.IsDir(), strings.HasPrefix(n, "."), !strings.HasSuffix(n, nativeSuffix) && !strings.HasSuffix(n, jsonSuffix):
		case stem == "override", strings.HasSuffix(stem, "_override"):
			overrides = append(overrides, path.Join(dir, n))
		default:
			base = append(base, path.Join(dir, n))
		}
	}
	return base, overrides
}

// readBlocks reads the blocks of a configuration file.
func (p *project) readBlocks(name string, r reader) []*block {
	src, err := readLimited(p.fsys, name, MaxSourceSize)
	if err != nil {
		p.report(fileError(name, err, fileRange(name)))
		return nil
	}
	f := p.parseSource(name, src)
	if f == nil {
		return nil
	}
	b, diags := r.body(f.Body, projectSpec)
	p.report(diags...)
	return b.blocks
}

// parseSource parses native syntax, or JSON where the name ends so.
func (p *project) parseSource(name string, src []byte) *hcl.File {
	p.files[name] = &hcl.File{Bytes: src}
	if d := checkNesting(name, src); d != nil {
		p.report(d)
		return nil
	}
	parse := parseNative
	if strings.HasSuffix(name, ".json") {
		parse = json.Parse
	}
	f, diags := parse(src, name)
	for _, d := range diags {
		d.Extra = syntaxError{}
	}
	p.report(diags...)
	if f == nil || f.Body == nil {
		return nil
	}
	f.Bytes = src
	f.Body = p.meter.body(f.Body)
	p.files[name] = f
	return f
}

func parseNative(src []byte, name string) (*hcl.File, hcl.Diagnostics) {
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	return f, uptoOpenString(diags)
}

// uptoOpenString drops what follows the first string without a closing quote:
// from there on the parser takes strings for code and code for strings.
func uptoOpenString(diags hcl.Diagnostics) hcl.Diagnostics {
	var open *hcl.Diagnostic
	for _, d := range diags {
		if d.Summary == "Invalid multi-line string" && (open == nil || subject(d).Start.Byte < subject(open).Start.Byte) {
			open = d
		}
	}
	if open == nil {
		return diags
	}
	return slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool {
		return d != open && subject(d).Start.Byte >= subject(open).Start.Byte
	})
}

// readLimited reads a regular file of at most limit bytes.
func readLimited(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := openRegular(fsys, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("the file is larger than %d bytes", limit)
	}
	return b, nil
}

// openRegular opens a file and refuses folders, pipes and devices, reading of
// which might never end. It looks before opening, because opening a pipe waits.
func openRegular(fsys fs.FS, name string) (fs.File, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%q is a folder, not a file", name)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file", name)
	}
	return fsys.Open(name)
}

// fileRange is the beginning of a file.
func fileRange(name string) hcl.Range {
	return hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
}
