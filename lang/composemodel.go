package lang

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/hashicorp/hcl/v2"
)

// Limits that keep substitution and checks short. People do not come near them.
const (
	maxNodes         = 100_000 // mappings, lists and scalars, aliases expanded
	maxTextVariables = 100     // ${…} in one text: replacing them takes quadratic time
	maxVariables     = 10_000  // ${…} in all texts
)

// model decodes the file into maps, lists and scalars of its own, aliases and
// merge keys resolved. The caller may change what it gets.
func (f *composeFile) model() (map[string]any, *hcl.Diagnostic) {
	if f.decoded == nil {
		if err := f.doc.Decode(&f.decoded); err != nil {
			return nil, f.reader.syntaxError(err)
		}
	}
	whole := fileRange(f.reader.name)
	m, err := copyModel(f.decoded)
	if err != nil {
		return nil, failure(whole, "Invalid Compose file", "The Compose file cannot be read: %s.", err)
	}
	all := 0
	eachText(m, func(text string) {
		n := strings.Count(text, "${")
		if all += n; n > maxTextVariables {
			all = maxVariables + 1
		}
	})
	if all > maxVariables {
		return nil, failure(whole, "Invalid Compose file", "A text may hold %d variables, the file %d. Take some out.", maxTextVariables, maxVariables)
	}
	return m, nil
}

// copyModel copies a decoded file, so that every key is a string.
func copyModel(v any) (map[string]any, error) {
	nodes := 0
	c, err := copyNode(v, 0, &nodes)
	if err != nil {
		return nil, err
	}
	m, ok := c.(map[string]any)
	if !ok {
		return nil, errors.New("a Compose file is a mapping")
	}
	return m, nil
}

func copyNode(v any, depth int, nodes *int) (any, error) {
	switch *nodes++; {
	case depth > maxNesting:
		return nil, fmt.Errorf("mappings and lists may stand %d deep within each other", maxNesting)
	case *nodes > maxNodes:
		return nil, fmt.Errorf("with its aliases expanded it has more than %d elements", maxNodes)
	}
	switch v := v.(type) {
	case map[string]any:
		return copyMap(v, func(k string) string { return k }, depth, nodes)
	case map[any]any:
		return copyMap(v, func(k any) string { return fmt.Sprint(k) }, depth, nodes)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			c, err := copyNode(e, depth+1, nodes)
			if err != nil {
				return nil, err
			}
			out[i] = c
		}
		return out, nil
	}
	return v, nil
}

func copyMap[K comparable](m map[K]any, key func(K) string, depth int, nodes *int) (any, error) {
	out := make(map[string]any, len(m))
	for k, e := range m {
		c, err := copyNode(e, depth+1, nodes)
		if err != nil {
			return nil, err
		}
		out[key(k)] = c
	}
	return out, nil
}

// eachText calls fn for every string value within v, in the order of the keys.
func eachText(v any, fn func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			eachText(v[k], fn)
		}
	case []any:
		for _, e := range v {
			eachText(e, fn)
		}
	case string:
		fn(v)
	}
}

// escaped copies a value with every dollar doubled: Compose replaces variables
// once more at the site.
func escaped(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = escaped(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = escaped(e)
		}
		return out
	case []string:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = escaped(e)
		}
		return out
	case string:
		return strings.ReplaceAll(v, "$", "$$")
	}
	return v
}

func substitute(text string, vars map[string]string) (string, error) {
	lookup := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	return template.SubstituteWithOptions(text, lookup, template.WithoutLogging)
}

// substituted replaces the variables of a model.
func (r *rootFrame) substituted(f *composeFile, model map[string]any, vars map[string]string) map[string]any {
	out, err := interpolation.Interpolate(model, interpolation.Options{
		LookupValue: func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
		Substitute: func(text string, lookup template.Mapping) (string, error) {
			return template.SubstituteWithOptions(text, lookup, template.WithoutLogging)
		},
	})
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			r.report(failure(f.placeOf(line), "Invalid Compose file", "A variable cannot be replaced: %s.", strings.TrimSuffix(line, ".")))
		}
	}
	return out
}

// check validates a model after substitution. Equal models are checked once.
func (f *composeFile) check(model map[string]any) []string {
	b, err := json.Marshal(model)
	if err != nil {
		return []string{err.Error()}
	}
	sum := sha256.Sum256(b)
	key := string(sum[:])
	problems, ok := f.checked[key]
	if !ok {
		if err := checkModel(model); err != nil {
			problems = []string{err.Error()}
		}
		f.checked[key] = problems
	}
	return problems
}

// checkModel holds a model against the Compose specification: its schema, and
// references between services, networks and volumes.
func checkModel(model map[string]any) error {
	config, err := copyModel(model)
	if err != nil {
		return err
	}
	delete(config, "version") // obsolete, and the loader would log so
	details := types.ConfigDetails{
		WorkingDir:  "/",
		ConfigFiles: []types.ConfigFile{{Filename: composeName, Content: []byte("{}"), Config: config}},
		Environment: types.Mapping{},
	}
	_, err = loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
		o.SetProjectName("check", true)
		o.Interpolate.Substitute = func(text string, _ template.Mapping) (string, error) { return text, nil }
		o.SkipInclude = true
		o.SkipResolveEnvironment = true
		o.SkipResolveLabels = true
		o.ResolvePaths = false
		o.Profiles = []string{"*"}
	})
	if err != nil {
		text := strings.TrimPrefix(err.Error(), "validating "+composeName+": ")
		return errors.New(strings.TrimSuffix(text, ": invalid compose project"))
	}
	return nil
}
