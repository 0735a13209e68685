package planner

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/patch"
)

func testEnvelope() *Envelope {
	e := &Envelope{
		Address: "envelope.e", Name: "e", UUID: "u", Version: "1", Action: EnvelopeActivate, Apps: []string{"a"}, Key: "k",
		Blobs:      []EnvelopeBlob{{Name: "x", Digest: "dx"}, {Name: "y", Digest: "dy"}},
		Controller: &EnvelopeController{Digest: "c"},
		Devices:    []EnvelopeDevice{{Name: "d", Digest: "cert"}},
	}
	e.Devices[0].intact = true
	e.Devices[0].last = &Sealed{
		Name: "e", UUID: "u", Version: "1", Action: EnvelopeActivate, Apps: []string{"a"}, Key: "k",
		Blobs: map[string]string{"x": "dx", "y": "dy"}, Device: "cert", Controller: "c",
		Files: []File{{Path: "envelope.pb", Size: 1, Digest: digest.FromString("old")}},
	}
	return e
}

func TestDiffEnvelope(t *testing.T) {
	for name, c := range map[string]struct {
		modify func(*Envelope, *EnvelopeDevice)
		want   string
	}{
		"unchanged":          {func(*Envelope, *EnvelopeDevice) {}, "none"},
		"order of blobs":     {func(e *Envelope, _ *EnvelopeDevice) { slices.Reverse(e.Blobs) }, "none"},
		"nothing sealed yet": {func(_ *Envelope, d *EnvelopeDevice) { d.last = nil }, "create"},
		"name":               {func(e *Envelope, _ *EnvelopeDevice) { e.Name = "f" }, "update name"},
		"uuid":               {func(e *Envelope, _ *EnvelopeDevice) { e.UUID = "v" }, "update uuid"},
		"version":            {func(e *Envelope, _ *EnvelopeDevice) { e.Version = "2" }, "update version"},
		"action":             {func(e *Envelope, _ *EnvelopeDevice) { e.Action = EnvelopeStore }, "update action"},
		"apps":               {func(e *Envelope, _ *EnvelopeDevice) { e.Apps = nil }, "update allowed_apps"},
		"certificate":        {func(_ *Envelope, d *EnvelopeDevice) { d.Digest = "other" }, "update certificate"},
		"controller":         {func(e *Envelope, _ *EnvelopeDevice) { e.Controller = nil }, "update controller"},
		"output":             {func(_ *Envelope, d *EnvelopeDevice) { d.intact = false }, "update output"},
		"blob":               {func(e *Envelope, _ *EnvelopeDevice) { e.Blobs[1].Digest = "z" }, "update blob:y"},
		"new blob":           {func(e *Envelope, _ *EnvelopeDevice) { e.Blobs = append(e.Blobs, EnvelopeBlob{Name: "z", Digest: "dz"}) }, "update blob:z"},
		"blob is gone":       {func(e *Envelope, _ *EnvelopeDevice) { e.Blobs = e.Blobs[:1] }, "update blob:y"},
		"lost key": {func(e *Envelope, _ *EnvelopeDevice) {
			e.Key = "other"
			e.Blobs[0].Digest, e.Blobs[1].Digest = "1", "2"
		}, "update digest-key"},
	} {
		e := testEnvelope()
		c.modify(e, &e.Devices[0])
		got := diffEnvelope(e).Changes[0]
		words := []string{got.Change}
		for _, r := range got.Reasons {
			words = append(words, r.Input)
		}
		if text := strings.Join(words, " "); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
		if (got.Change == ChangeNone) != (len(got.Files) > 0) {
			t.Errorf("%s: files %v", name, got.Files)
		}
	}
}

func TestSiteEnvelopes(t *testing.T) {
	carried := func(text string) *patch.Description {
		p := &patch.Description{SiteName: "s"}
		p.Flotobuild.Contents = []patch.Content{{Path: "envelopes/e/d/envelope.pb", Size: 1, SHA256: digest.FromString(text).Encoded()}}
		return p
	}
	for name, c := range map[string]struct {
		parents []*patch.Description
		modify  func(*Envelope)
		names   []string
		want    string
	}{
		"no parent":     {nil, nil, []string{"envelope.e"}, "create"},
		"no envelopes":  {[]*patch.Description{{}}, nil, nil, ""},
		"carried":       {[]*patch.Description{carried("old")}, nil, []string{"envelope.e"}, ""},
		"another state": {[]*patch.Description{carried("older")}, nil, []string{"envelope.e"}, "update"},
		"sealed anew":   {[]*patch.Description{carried("old")}, func(e *Envelope) { e.Version = "2" }, []string{"envelope.e"}, "update"},
		"not carried":   {[]*patch.Description{{}}, nil, []string{"envelope.e"}, "create"},
		"gone":          {[]*patch.Description{carried("old")}, nil, nil, "remove"},
		"second parent": {[]*patch.Description{carried("old"), {}}, nil, []string{"envelope.e"}, "create"},
	} {
		e := testEnvelope()
		if c.modify != nil {
			c.modify(e)
		}
		d := &differ{envelopes: map[string]*EnvelopePlan{e.Address: diffEnvelope(e)}}
		var got []string
		for _, f := range d.siteEnvelopes(c.parents, &Site{Envelopes: c.names}) {
			if f.Path != "envelopes/e/d" {
				t.Errorf("%s: %s", name, f.Path)
			}
			got = append(got, f.Change)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
	}
}

// What a digest covers, and that it depends on the key.
func TestBlobDigest(t *testing.T) {
	key, content := []byte("key"), digest.FromString("content")
	base := envelope.Blob{Name: "a", Metadata: "m"}
	seen := make(map[string]string)
	add := func(name string, key []byte, b envelope.Blob, content digest.Digest) {
		d, err := BlobDigest(key, b, content)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[d]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[d] = name
	}
	add("base", key, base, content)
	add("other key", []byte("other"), base, content)
	add("other content", key, base, digest.FromString("other"))
	add("other name", key, envelope.Blob{Name: "b", Metadata: "m"}, content)
	add("encrypted", key, envelope.Blob{Name: "a", Metadata: "m", Encrypt: true}, content)
	add("other metadata", key, envelope.Blob{Name: "a", Metadata: "n"}, content)
	add("volume", key, envelope.Blob{Name: "a", Metadata: "m", Volume: &envelope.Volume{ID: "v"}}, content)
	same, err := BlobDigest(key, envelope.Blob{Name: "a", Metadata: "m", Content: []byte("stand-in")}, content)
	if err != nil || seen[same] != "base" {
		t.Errorf("the stand-in counts: %v", err)
	}
}
