package lang

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// fileFunctions read files of the project. Paths are relative to the folder of
// the file that the call stands in.
type fileFunctions struct {
	project *project
	folder  *folder // whose functions templates can call
	dir     string
}

func (ff fileFunctions) all() map[string]function.Function {
	out := ff.readers()
	out["templatefile"] = ff.templatefile()
	return out
}

// readers are the file functions that templates can call too.
func (ff fileFunctions) readers() map[string]function.Function {
	return map[string]function.Function{
		"file":       ff.text(ff.file),
		"filebase64": ff.text(ff.filebase64),
		"filesha256": ff.text(ff.filesha256),
		"fileexists": function.New(&function.Spec{
			Params: textParams("path"),
			Type:   function.StaticReturnType(cty.Bool),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				return ff.fileexists(args[0].AsString())
			},
		}),
		"fileset": function.New(&function.Spec{
			Params: textParams("path", "pattern"),
			Type:   function.StaticReturnType(cty.Set(cty.String)),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				return ff.fileset(args[0].AsString(), args[1].AsString())
			},
		}),
	}
}

// text makes a function from a path to a string.
func (ff fileFunctions) text(read func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: textParams("path"),
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := read(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		},
	})
}

// locate makes a path relative to the project folder.
func (ff fileFunctions) locate(name string) (string, error) {
	p, d := newPath(name, ff.dir, false, hcl.Range{})
	if d != nil {
		return "", errors.New("functions read files of the project folder only, by a relative path with slashes")
	}
	return p.Name, nil
}

func (ff fileFunctions) read(name string) ([]byte, error) {
	p, err := ff.locate(name)
	if err != nil {
		return nil, err
	}
	b, err := readLimited(ff.project.fsys, p, maxDataSize)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %s", p, reason(err))
	}
	return b, nil
}

func (ff fileFunctions) file(name string) (string, error) {
	b, err := ff.read(name)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(b) {
		return "", fmt.Errorf("the file %q is no UTF-8 text; read it with filebase64", name)
	}
	return string(b), nil
}

func (ff fileFunctions) filebase64(name string) (string, error) {
	b, err := ff.read(name)
	return base64.StdEncoding.EncodeToString(b), err
}

func (ff fileFunctions) filesha256(name string) (string, error) {
	p, err := ff.locate(name)
	if err != nil {
		return "", err
	}
	f, err := openRegular(ff.project.fsys, p)
	if err != nil {
		return "", fmt.Errorf("cannot read %q: %s", p, reason(err))
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("cannot read %q: %s", p, reason(err))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (ff fileFunctions) fileexists(name string) (cty.Value, error) {
	p, err := ff.locate(name)
	if err != nil {
		return cty.NilVal, function.NewArgError(0, err)
	}
	info, err := fs.Stat(ff.project.fsys, p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return cty.False, nil
	case err != nil:
		return cty.NilVal, function.NewArgErrorf(0, "cannot look at %q: %s", p, reason(err))
	case info.IsDir():
		return cty.NilVal, function.NewArgErrorf(0, "%q is a folder, not a file", p)
	}
	return cty.True, nil
}

// fileset lists the files in a folder that match a pattern, relative to it.
func (ff fileFunctions) fileset(dir, pattern string) (cty.Value, error) {
	p, err := ff.locate(dir)
	if err != nil {
		return cty.NilVal, function.NewArgError(0, err)
	}
	if !validPattern(pattern) {
		return cty.NilVal, function.NewArgErrorf(1, "this is no pattern")
	}
	sub, err := fs.Sub(ff.project.fsys, p)
	if err != nil {
		return cty.NilVal, function.NewArgError(0, err)
	}
	names, err := doublestar.Glob(sub, path.Clean(pattern), doublestar.WithFilesOnly(), doublestar.WithFailOnIOErrors(), doublestar.WithNoFollow())
	if err != nil {
		return cty.NilVal, fmt.Errorf("cannot list %q: %s", p, reason(err))
	}
	if len(names) == 0 {
		return cty.SetValEmpty(cty.String), nil
	}
	out := make([]cty.Value, 0, len(names))
	for _, n := range names {
		out = append(out, cty.StringVal(n))
	}
	return cty.SetVal(out), nil
}

// templatefile renders a template of the project. Templates cannot call
// templatefile, and functions not themselves, so that rendering ends.
func (ff fileFunctions) templatefile() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}, anyParam("vars")},
		Type:   function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if t := args[1].Type(); !t.IsObjectType() && !t.IsMapType() {
				return cty.NilVal, function.NewArgErrorf(1, "a map of the template's variables is needed")
			}
			return ff.render(args[0].AsString(), args[1].AsValueMap())
		},
	})
}

func (ff fileFunctions) render(name string, vars map[string]cty.Value) (cty.Value, error) {
	src, err := ff.file(name)
	if err != nil {
		return cty.NilVal, function.NewArgError(0, err)
	}
	if len(src) > MaxSourceSize {
		return cty.NilVal, function.NewArgErrorf(0, "the template %q is larger than %d bytes", name, MaxSourceSize)
	}
	if d := checkTemplateNesting(name, []byte(src)); d != nil {
		return cty.NilVal, innerError(d)
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(src), name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, innerError(diags[0])
	}
	funcs := pureFunctions()
	maps.Copy(funcs, ff.readers())
	maps.Copy(funcs, ff.folder.funcs)
	if vars == nil {
		vars = map[string]cty.Value{}
	}
	v, diags := ff.project.meter.native(expr).Value(&hcl.EvalContext{Variables: vars, Functions: funcs})
	if diags.HasErrors() {
		return cty.NilVal, innerError(diags[0])
	}
	return v, nil
}
