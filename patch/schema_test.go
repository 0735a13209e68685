package patch

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "../docs/patch-description.schema.json"

func descriptionSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// goldenDescriptions are an initial, an incremental and a rebased patch, and one
// of a newer tool.
func goldenDescriptions(t *testing.T) map[string][]byte {
	t.Helper()
	s := newSite(t)
	shared := s.layer("a", "a")
	image := s.image("control", shared, s.layer("b", "b"))
	image.Fingerprint = &Fingerprint{Digest: digest.FromString("f"), Inputs: map[string]string{"dockerfile": "x"}}
	one := mustOpen(t, s.write(s.describe(1, []Image{s.image("control", shared), s.image("gone", shared)})))
	d := s.describe(2, []Image{image}, &one.Header)
	d.ParentRevision, d.ParentName = one.Description.Revision, one.Description.Name
	d.Flotobuild.RemovedImages = []RemovedImage{{Name: "gone", ID: one.Description.ImageMap["gone"]}}
	b, err := Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	full, err := Rebase(&Header{Description: d, Digest: digest.FromBytes(b)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Encode(full)
	if err != nil {
		t.Fatal(err)
	}
	_, delta := deltaPatch(t, newSite(t))
	return map[string][]byte{"with a delta": delta.Raw(), "initial": one.Raw(), "incremental": b, "rebased": f, "of a newer tool": withUnknown(t, b)}
}

func TestSchemaTakesDescriptions(t *testing.T) {
	schema := descriptionSchema(t)
	for name, b := range goldenDescriptions(t) {
		if err := schema.Validate(parsed(t, b)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	schema := descriptionSchema(t)
	good := string(goldenDescriptions(t)["incremental"])
	for old, now := range map[string]string{
		`"formatVersion": 1`:         `"formatVersion": 3`,
		`"siteName": "north"`:        `"siteName": ""`,
		`"id": "2026`:                `"it": "2026`,
		`"mode": "0755"`:             `"mode": "0777"`,
		`"mode": "0120777"`:          `"mode": "120777"`,
		`"requiredImageIds": [`:      `"requiredImageIds": [ "md5:1",`,
		`T11:38:05.717Z`:             `T11:38:05+01:00`,
		`"descriptionDigest": "sha2`: `"descriptionDigest": "sha9`,
	} {
		if !strings.Contains(good, old) {
			t.Fatalf("the description has no %s", old)
		}
		if schema.Validate(parsed(t, []byte(strings.ReplaceAll(good, old, now)))) == nil {
			t.Errorf("%s is taken", now)
		}
	}
}

func parsed(t *testing.T, b []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A schemaObject is what the test reads of an object in the schema.
type schemaObject struct {
	Properties map[string]json.RawMessage `json:"properties"`
	Required   []string                   `json:"required"`
}

// The schema knows the keys of the package's types, and which of them may be
// absent; so it cannot fall behind.
func TestSchemaKnowsAllKeys(t *testing.T) {
	b, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		schemaObject
		Defs map[string]schemaObject `json:"$defs"`
	}
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	compareKeys(t, reflect.TypeFor[Description](), schema.schemaObject)
	for name, of := range map[string]reflect.Type{
		"additions": reflect.TypeFor[Additions](), "image": reflect.TypeFor[Image](), "manifest": reflect.TypeFor[Manifest](),
		"layer": reflect.TypeFor[Layer](), "cacheRef": reflect.TypeFor[CacheRef](), "fingerprint": reflect.TypeFor[Fingerprint](),
		"content": reflect.TypeFor[Content](), "parentRef": reflect.TypeFor[ParentRef](), "release": reflect.TypeFor[Release](),
		"removedImage": reflect.TypeFor[RemovedImage](), "layerTransport": reflect.TypeFor[LayerTransport](), "layerDelta": reflect.TypeFor[LayerDelta](),
	} {
		compareKeys(t, of, schema.Defs[name])
	}
}

func compareKeys(t *testing.T, of reflect.Type, o schemaObject) {
	t.Helper()
	var keys, required []string
	for i := range of.NumField() {
		name, options, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if !of.Field(i).IsExported() {
			continue
		}
		keys = append(keys, name)
		if !strings.HasPrefix(options, "omit") {
			required = append(required, name)
		}
	}
	slices.Sort(keys)
	if known := slices.Sorted(maps.Keys(o.Properties)); !slices.Equal(known, keys) {
		t.Errorf("%s has the keys %q, and the schema %q", of.Name(), keys, known)
	}
	slices.Sort(required)
	slices.Sort(o.Required)
	if !slices.Equal(o.Required, required) {
		t.Errorf("%s always has %q, and the schema requires %q", of.Name(), required, o.Required)
	}
}
