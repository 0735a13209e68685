package lang

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// recipeVersion is the version of manifest/site.json that this package writes,
// and the newest that it reads.
const recipeVersion = 1

// maxRecipe bounds what is read of manifest/site.json, in bytes.
const maxRecipe = 16 << 20

// A recipe is manifest/site.json: what a site needs besides conf/ and the
// description to compile the root definition again.
type recipe struct {
	FormatVersion  int    `json:"formatVersion"`
	RootDefinition string `json:"rootDefinition"` // its name
	File           string `json:"file"`           // in conf/
	// Folder is the one in conf/ whose configuration has the root definition:
	// expressions can call the functions of that folder.
	Folder string                     `json:"folder"`
	Vars   map[string]json.RawMessage `json:"vars"` // of the site, each with its type
}

// recipe tells how the root definition was compiled.
func (r *rootFrame) recipe() *recipe {
	out := &recipe{
		FormatVersion:  recipeVersion,
		RootDefinition: r.root.result.Name,
		File:           r.root.file.name,
		Folder:         r.root.folder.dir,
		Vars:           make(map[string]json.RawMessage),
	}
	for name, v := range r.site.Vars {
		b, err := ctyjson.Marshal(v, cty.DynamicPseudoType)
		if err != nil {
			r.report(failure(r.site.Range, "Cannot write the manifest", "The element %q of the attribute vars of site %q has no form for the site: %s.", name, r.site.Name, err))
			continue
		}
		out.Vars[name] = b
	}
	return out
}

func (c *recipe) encode() ([]byte, error) { return encodeJSON(c) }

// decodeRecipe reads manifest/site.json. One of a newer version is refused.
func decodeRecipe(data []byte) (*recipe, map[string]cty.Value, error) {
	if len(data) > maxRecipe {
		return nil, nil, fmt.Errorf("it has more than %d bytes", maxRecipe)
	}
	c := &recipe{}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(c); err != nil {
		return nil, nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("data after its end")
	}
	switch {
	case c.FormatVersion < 1 || c.FormatVersion > recipeVersion:
		return nil, nil, fmt.Errorf("it has version %d, this flotobuild knows %d; use a newer flotobuild", c.FormatVersion, recipeVersion)
	case !fs.ValidPath(c.File) || c.File == "." || !fs.ValidPath(c.Folder):
		return nil, nil, fmt.Errorf("it names the file %q and the folder %q, which are no paths in conf/", c.File, c.Folder)
	}
	vars := make(map[string]cty.Value, len(c.Vars))
	for name, b := range c.Vars {
		v, err := ctyjson.Unmarshal(b, cty.DynamicPseudoType)
		if err != nil {
			return nil, nil, fmt.Errorf("the value of %q: %w", name, err)
		}
		if !v.IsWhollyKnown() {
			return nil, nil, fmt.Errorf("the value of %q is not known", name)
		}
		vars[name] = v
	}
	return c, vars, nil
}

// encodeJSON indents, and puts a newline at the end.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
