package lang

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// CheckAtSite compiles the site's root definition as the site will do it, from
// the files that travel in conf/ alone, and compares the result with what Compile
// gave for the same input. It is for manifests with site variables.
func (s *Site) CheckAtSite(m *Manifest, in CompileInput, conf []string) hcl.Diagnostics {
	from := s.source.scope.project.fsys
	got, diags := compileRecipe(newConfFS(from, conf), SiteInput{Site: s.Name, Recipe: m.files[SiteEntry], CompileInput: in})
	if diags.HasErrors() {
		for _, d := range diags {
			d.Detail += fmt.Sprintf("\n\nThe root definition has variables that only the site knows, so that site %q compiles it again, from the files in conf of the patch.", s.Name)
			Of(d, s.source.addr)
		}
		return diags
	}
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		if bytes.Equal(m.files[name], got.files[name]) {
			continue
		}
		d := failure(s.source.root.result.File.Range, "Another result at the site",
			"The root definition has variables that only the site knows, so that site %q compiles it again, from the files in conf of the patch. It would get another %q there: a function such as fileset or fileexists looks for files that do not travel. Let these files travel, or narrow the pattern.", s.Name, name)
		Of(d, s.source.addr)
		return hcl.Diagnostics{d}
	}
	return nil
}

// Check says whether a site's text can be a value of the variable. The error
// does not show the value of a sensitive one.
func (v ManifestVariable) Check(text string) error {
	t, ok := parseType(v.Type)
	if !ok {
		return fmt.Errorf("the variable has a type %q that this flotobuild does not know", head(v.Type, 60))
	}
	switch _, reason := t.read(v.Name, text, newMeter(Options{})); {
	case reason == "":
		return nil
	case v.Sensitive:
		return fmt.Errorf("it does not fit the type %s", v.Type)
	default:
		return fmt.Errorf("it does not fit the type %s: %s", v.Type, reason)
	}
}

// parseType reads a type as it stands in a manifest.
func parseType(text string) (variableType, bool) {
	t := variableType{nullable: true}
	if len(text) > MaxSourceSize || checkNesting("type", []byte(text)) != nil {
		return t, false
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), "type", hcl.InitialPos)
	if diags.HasErrors() {
		return t, false
	}
	t.constraint, t.defaults, diags = typeexpr.TypeConstraintWithDefaults(expr)
	t.literal = t.constraint.IsPrimitiveType()
	return t, !diags.HasErrors()
}
