package attest

import (
	"bytes"
	"encoding/json"
	"testing"

	provenance "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/encoding/protojson"
)

func example() Statement {
	d := DigestOf(digest.FromString("x"))
	return Statement{
		Subject: []Resource{{Name: "control", MediaType: "application/vnd.oci.image.manifest.v1+json", Digest: d}},
		Predicate: Provenance{
			BuildDefinition: BuildDefinition{
				ExternalParameters:   map[string]any{"kind": "build", "args": map[string]string{"A": "<&>"}},
				InternalParameters:   map[string]any{"digest": "sha256:00"},
				ResolvedDependencies: []Resource{{URI: "docker-image://alpine:3", Digest: d}},
			},
			RunDetails: RunDetails{Builder{Version: map[string]string{"flotobuild": "1.0.0"}}},
		},
	}
}

// The reference implementation of in-toto reads and accepts what Encode writes,
// every field of it.
func TestReferenceReadsStatements(t *testing.T) {
	b, err := Encode(example())
	if err != nil {
		t.Fatal(err)
	}
	var s intoto.Statement
	if err := protojson.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	var whole struct{ Predicate json.RawMessage }
	if err := json.Unmarshal(b, &whole); err != nil {
		t.Fatal(err)
	}
	var p provenance.Provenance
	if err := protojson.Unmarshal(whole.Predicate, &p); err != nil { // refuses unknown fields
		t.Fatal(err)
	}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
	if got := p.GetBuildDefinition().GetResolvedDependencies(); len(got) != 1 || got[0].GetUri() != "docker-image://alpine:3" {
		t.Errorf("dependencies: %v", got)
	}
}

func TestEncodeIsStable(t *testing.T) {
	a, _ := Encode(example())
	b, _ := Encode(example())
	if !bytes.Equal(a, b) || !bytes.Contains(a, []byte(`"<&>"`)) || a[len(a)-1] != '\n' {
		t.Errorf("%s\n%s", a, b)
	}
	bad := example()
	bad.Predicate.BuildDefinition.ExternalParameters = func() {}
	if _, err := Encode(bad); err == nil {
		t.Error("encoded a function")
	}
}
