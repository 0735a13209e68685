package lang

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
)

// MaxSourceSize is the size in bytes beyond which a file of configuration or
// variables is refused: it is parsed recursively and evaluated in memory.
const MaxSourceSize = 1 << 20

// maxDataSize is the same for files that functions read.
const maxDataSize = 64 << 20

const (
	nativeSuffix   = ".floto.hcl"
	jsonSuffix     = ".floto.hcl.json"
	overrideSuffix = "_override.floto.hcl"
)

// readConfiguration parses the project folder's configuration files and returns
// their blocks.
func (p *project) readConfiguration() []*block {
	entries, err := fs.ReadDir(p.fsys, ".")
	if err != nil {
		p.report(folderError("Cannot read the project folder", fmt.Sprintf("The project folder cannot be listed: %s.", err)))
		return nil
	}
	var blocks []*block
	found := false
	for _, e := range entries {
		if !isConfigurationFile(e) {
			continue
		}
		found = true
		if f := p.parseFile(e.Name()); f != nil {
			bs, diags := readBody(f.Body, projectSpec, p.opts.ToolVersion)
			p.report(diags...)
			blocks = append(blocks, bs.blocks...)
		}
	}
	if !found {
		p.report(folderError("No configuration files",
			"The project folder holds no *.floto.hcl file. Change to the folder of a project, name it with -chdir=DIR, or make a new project with: flotobuild init"))
	}
	return blocks
}

func isConfigurationFile(e fs.DirEntry) bool {
	n := e.Name()
	return !e.IsDir() && !strings.HasPrefix(n, ".") &&
		(strings.HasSuffix(n, nativeSuffix) || strings.HasSuffix(n, jsonSuffix))
}

// parseFile parses a configuration file and remembers it for diagnostics.
func (p *project) parseFile(name string) *hcl.File {
	rng := fileRange(name)
	if strings.HasSuffix(strings.TrimSuffix(name, ".json"), overrideSuffix) {
		p.report(notAvailable("Override files", p.opts.ToolVersion, rng))
		return nil
	}
	src, err := readLimited(p.fsys, name, MaxSourceSize)
	if err != nil {
		p.report(fileError(name, err, rng))
		return nil
	}
	return p.parseSource(name, src)
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
