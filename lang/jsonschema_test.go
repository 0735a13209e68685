package lang

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compileSchema(t *testing.T, override bool) *jsonschema.Schema {
	t.Helper()
	b, err := JSONSchema(override)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("floto.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("floto.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validateJSON(t *testing.T, s *jsonschema.Schema, src []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return s.Validate(v)
}

// TestSchemaAcceptsConfigurations writes every example and every test case that
// loads in the JSON syntax, and validates it. So the schema, the tables and the
// decoder agree.
func TestSchemaAcceptsConfigurations(t *testing.T) {
	whole, partial := compileSchema(t, false), compileSchema(t, true)
	n := 0
	check := func(name string, src []byte) {
		if strings.HasPrefix(filepath.Base(name), ".") {
			return
		}
		if strings.HasSuffix(name, nativeSuffix) {
			src = toJSON(t, name, src)
		} else if !strings.HasSuffix(name, jsonSuffix) {
			return
		}
		n++
		schema := whole
		if strings.Contains(name, "override.floto.hcl") {
			schema = partial
		}
		if err := validateJSON(t, schema, src); err != nil {
			t.Errorf("%s: %v\n%s", name, err, src)
		}
	}
	for _, name := range glob(t, "testdata/load/*.txtar") {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fsys := archiveFS(a)
		if _, diags := Load(fsys, archiveOptions(t, a, fsys)); diags.HasErrors() {
			continue
		}
		for _, f := range a.Files {
			check(filepath.Join(name, f.Name), f.Data)
		}
	}
	for _, pattern := range []string{"../examples/*/*.floto.hcl", "../examples/*/*/*/*.floto.hcl", "../cmd/flotobuild/skeleton/*.floto.hcl"} {
		for _, name := range glob(t, pattern) {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			check(name, src)
		}
	}
	if n < 50 {
		t.Errorf("only %d files were validated", n)
	}
}

func glob(t *testing.T, pattern string) []string {
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	return names
}

// toJSON writes a native file in the JSON syntax.
func toJSON(t *testing.T, name string, src []byte) []byte {
	t.Helper()
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	out, err := json.MarshalIndent(bodyToJSON(f.Body.(*hclsyntax.Body), src), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func bodyToJSON(b *hclsyntax.Body, src []byte) object {
	out := object{}
	for name, a := range b.Attributes {
		out[name] = expressionToJSON(name, a.Expr, src)
	}
	for _, c := range b.Blocks {
		var at any = bodyToJSON(c.Body, src)
		for i := len(c.Labels) - 1; i >= 0; i-- {
			at = object{c.Labels[i]: at}
		}
		all, _ := out[c.Type].([]any)
		out[c.Type] = append(all, at)
	}
	return out
}

// expressionToJSON writes objects, lists and strings as JSON does, and all else
// as a template.
func expressionToJSON(name string, e hclsyntax.Expression, src []byte) any {
	text := string(e.Range().SliceBytes(src))
	switch name {
	case "type", "variadic_param", "iterator":
		return text
	}
	switch e := e.(type) {
	case *hclsyntax.TemplateExpr:
		return strings.Trim(text, `"`)
	case *hclsyntax.TupleConsExpr:
		out := []any{}
		for _, x := range e.Exprs {
			if name == "params" {
				out = append(out, string(x.Range().SliceBytes(src)))
				continue
			}
			out = append(out, expressionToJSON("", x, src))
		}
		return out
	case *hclsyntax.ObjectConsExpr:
		out := object{}
		for _, i := range e.Items {
			key := strings.Trim(string(i.KeyExpr.Range().SliceBytes(src)), `"`)
			out[key] = expressionToJSON("", i.ValueExpr, src)
		}
		return out
	case *hclsyntax.LiteralValueExpr:
		return json.RawMessage(text)
	}
	return "${" + text + "}"
}

func TestSchemaRefuses(t *testing.T) {
	schema := compileSchema(t, false)
	for name, src := range map[string]string{
		"misspelt block":             `{"image_sets": {}}`,
		"misspelt attribute":         `{"image_set": {"a": {"image": {"b": {"contxt": "."}}}}}`,
		"misspelt inner attribute":   `{"root_definition": {"a": {"file": "a.root.hcl", "image_sets": [], "conf": {"inlude": []}}}}`,
		"misspelt in one of several": `{"variable": [{"a": {}}, {"b": {"dflt": 1}}]}`,
		"misspelt dynamic":           `{"site": {"a": {"root_definition": "${x}", "dynamic": {"patsch": {"for_each": [], "content": {}}}}}}`,
		"dynamic without content":    `{"site": {"a": {"root_definition": "${x}", "dynamic": {"patch": {"for_each": []}}}}}`,
		"missing attribute":          `{"site": {"a": {"patch": {"version": "1.0.0"}}}}`,
		"missing label":              `{"site": {"root_definition": "${root_definition.a}"}}`,
		"null where required":        `{"output": {"a": {"value": null}}, "site": {"a": {"root_definition": null}}}`,
		"unknown compression":        `{"flotobuild": {"engine": {"compression": "lzma"}}}`,
		"text for a list":            `{"flotobuild": {"engine": {"hosts": "tcp://a"}}}`,
		"list for a text":            `{"image_set": {"a": {"image": {"b": {"context": ["."]}}}}}`,
		"text for a flag":            `{"variable": {"a": {"sensitive": "perhaps"}}}`,
		"plain text for a reference": `{"site": {"a": {"root_definition": "plant"}}}`,
		"a list for a version":       `{"image_set": {"a": {"image": {"b": {"source": "x", "version": ["~> 1"]}}}}}`,
		"not an object":              `"x"`,
	} {
		if err := validateJSON(t, schema, []byte(src)); err == nil {
			t.Errorf("%s is accepted: %s", name, src)
		}
	}
}

func TestSchemaAccepts(t *testing.T) {
	schema := compileSchema(t, false)
	for name, src := range map[string]string{
		"empty":              `{}`,
		"comments":           `{"//": "a", "locals": {"//": "b", "x": [1]}, "variable": {"a": {"//": "c"}}}`,
		"template for a map": `{"image_set": {"a": {"image": {"b": {"context": ".", "args": "${local.args}", "platforms": "${local.p}"}}}}}`,
		"numbers as text":    `{"image_set": {"a": {"image": {"b": {"context": ".", "args": {"N": 1, "B": true, "X": null}}}}}}`,
		"array of bodies":    `[{"locals": {"a": 1}}, {"variable": {"x": null}}]`,
		"null optional":      `{"flotobuild": {"required_version": null, "engine": null}}`,
		"inputs of modules":  `{"module": {"m": {"source": "./m", "anything": {"a": [1]}}}}`,
	} {
		if err := validateJSON(t, schema, []byte(src)); err != nil {
			t.Errorf("%s is refused: %v", name, err)
		}
	}
}
