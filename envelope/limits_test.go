package envelope

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// problemsOf gives "error: summary" and "warning: summary" of each problem.
func problemsOf(problems []Problem) string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Severity.String()+": "+p.Summary)
	}
	return strings.Join(out, "; ")
}

func one(b Blob) []*Definition {
	return []*Definition{{Name: "e", UUID: testUUID, Apps: []string{testApp}, Blobs: []Blob{b}}}
}

func named(name string) []*Definition {
	return one(Blob{Name: name, Content: []byte("content enough")})
}

func volume(id string) *Volume { return &Volume{ID: id, Image: "i"} }

// Every limit at its edge and one past it; every warning.
func TestLimits(t *testing.T) {
	const volumeID = "7d7f5a8e-13f4-4d44-8a58-5a8e0f9c0a01"
	text := func(n int) []byte { return []byte(strings.Repeat("x", n)) }
	for _, c := range []struct {
		name string
		in   []*Definition
		want string
	}{
		{"inline at the limit", one(Blob{Name: "f", Content: text(7680)}), ""},
		{"inline past it", one(Blob{Name: "f", Content: text(7681)}), "error: Inline blob too large"},
		{"encrypted inline at the limit", one(Blob{Name: "f", Content: text(7680), Encrypt: true}), ""},
		{"encrypted inline past it", one(Blob{Name: "f", Content: text(7681), Encrypt: true}), "error: Inline blob too large"},
		{"one byte", one(Blob{Name: "f", Content: text(1)}), ""},
		{"no byte", one(Blob{Name: "f"}), "error: Empty blob"},
		{"no name", named(""), "error: Blob without a name"},
		{"short name", named("f"), ""},
		{".", named("."), "error: Invalid name of a blob"},
		{"..", named(".."), "error: Invalid name of a blob"},
		{"...", named("..."), ""},
		{"slash", named("a/b"), "error: Invalid name of a blob"},
		{"backslash", named(`a\b`), ""},
		{"control", named("a\tb"), "error: Invalid name of a blob"},
		{"delete", named("a\x7fb"), "error: Invalid name of a blob"},
		{"C1 control", named("a\u0085b"), "error: Invalid name of a blob"},
		{"umlaut", named("größe"), ""},
		{"encInline-", named("encInline-a"), "error: Invalid name of a blob"},
		{"encInline", named("encInline"), ""},
		{"encVolume-", named("encVolume-a"), "error: Invalid name of a blob"},
		{"EncVolume-", named("EncVolume-a"), ""},
		{"not UTF-8", named("a\xffb"), "error: Invalid name of a blob"},
		{"index.html", named("index.html"), "warning: Name that devices redirect"},
		{"index.htm", named("index.htm"), ""},
		{"space", named("a b"), "warning: Name that is no URL"},
		{"percent", named("a%b"), "warning: Name that is no URL"},
		{"question mark", named("a?b"), "warning: Name that is no URL"},
		{"hash", named("a#b"), "warning: Name that is no URL"},
		{"plus and colon", named("a+b:c"), ""},
		{"volume", one(Blob{Name: "f", Volume: volume(volumeID)}), ""},
		{"volume in capitals", one(Blob{Name: "f", Volume: volume(strings.ToUpper(volumeID))}), ""},
		{"volume without a name", one(Blob{Volume: volume(volumeID)}), "error: Volume without a file name"},
		{"volume without UUID", one(Blob{Name: "f", Volume: volume("")}), "error: Invalid UUID"},
		{"volume UUID in braces", one(Blob{Name: "f", Volume: volume("{" + volumeID + "}")}), "error: Invalid UUID"},
		{"volume UUID too short", one(Blob{Name: "f", Volume: volume(volumeID[1:])}), "error: Invalid UUID"},
		// A serialised inline blob has 4 bytes beside name and base64 text.
		{"16 bytes of cipher text", one(Blob{Name: "12345678", Content: text(1), Encrypt: true}), ""},
		{"15 bytes of cipher text", one(Blob{Name: "1234567", Content: text(1), Encrypt: true}), "error: Cipher text too short"},
		{"15 bytes in the clear", one(Blob{Name: "1234567", Content: text(1)}), ""},
		// A serialised EncryptionBlock has 4 bytes beside the text.
		{"16 bytes of metadata", one(Blob{Name: "f", Content: text(20), ArtifactMetadata: "123456789012", EncryptMetadata: true}), "warning: Encrypted artifact metadata"},
		{"15 bytes of metadata", one(Blob{Name: "f", Content: text(20), ArtifactMetadata: "12345678901", EncryptMetadata: true}), "error: Cipher text too short; warning: Encrypted artifact metadata"},
		{"clear metadata on clear blob", one(Blob{Name: "f", Content: text(20), ArtifactMetadata: "a"}), ""},
		{"clear metadata on encrypted blob", one(Blob{Name: "f", Content: text(20), Encrypt: true, ArtifactMetadata: "a"}), "warning: Artifact metadata that devices drop"},
		{"file metadata on encrypted blob", one(Blob{Name: "f", Content: text(20), Encrypt: true, Metadata: "a"}), ""},
		{"metadata not UTF-8", one(Blob{Name: "f", Content: text(20), Metadata: "\xff"}), "error: Text that is not UTF-8"},
		{"encrypted metadata not UTF-8", one(Blob{Name: "f", Content: text(20), Metadata: "\xff", Encrypt: true}), "error: Text that is not UTF-8"},
		{"no app", []*Definition{{Name: "e", UUID: testUUID}}, "warning: No application may see the envelope"},
		{"app no UUID", []*Definition{{Name: "e", UUID: testUUID, Apps: []string{"a"}}}, "error: Invalid UUID"},
		{"envelope no UUID", []*Definition{{Name: "e", UUID: "a", Apps: []string{testApp}}}, "error: Invalid UUID"},
		{"UUID twice", append(named("a"), named("b")...), "error: UUID twice on one device"},
		{"name twice in an envelope", []*Definition{{Name: "e", UUID: testUUID, Apps: []string{testApp}, Blobs: []Blob{{Name: "f", Content: text(1)}, {Name: "f", Volume: volume(volumeID)}}}}, "error: Name twice on one device"},
		{"name twice on a device", append(named("f"), &Definition{Name: "g", UUID: testApp, Apps: []string{testApp}, Blobs: []Blob{{Name: "f", Content: text(1), Encrypt: true}}}), "error: Name twice on one device; error: Cipher text too short"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := CheckDefinitions("pump-1", c.in)
			if got := problemsOf(found); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			for _, p := range found {
				if !strings.HasPrefix(p.Where(), "pump-1/") || !strings.HasSuffix(p.Detail, ".") {
					t.Errorf("problem at %q: %s", p.Where(), p.Detail)
				}
			}
		})
	}
}

// The list of a device at its limit, and one byte past it; files that were
// sealed are as long as the definitions were thought to be.
func TestListLimit(t *testing.T) {
	for _, encrypt := range []bool{false, true} {
		d := &Definition{Name: "e", UUID: testUUID, Apps: []string{testApp}}
		for n := range 5 {
			d.Blobs = append(d.Blobs, Blob{Name: fmt.Sprintf("blob-%d", n), Content: make([]byte, 4000), Encrypt: encrypt && n > 0})
		}
		size := func() int {
			e, err := d.Seal(testSealer(t))
			if err != nil {
				t.Fatal(err)
			}
			n, err := listSize(&evepb.EdgeDevConfig{PatchEnvelopes: []*evepb.EvePatchEnvelope{e}})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		d.Blobs[0].ArtifactMetadata = "x"
		d.Blobs[0].ArtifactMetadata = strings.Repeat("x", MaxList-size()+1)
		if got := size(); got != MaxList {
			t.Fatalf("the list has %d bytes", got)
		}
		if got := problemsOf(CheckDefinitions("d", []*Definition{d})); got != "" {
			t.Errorf("at the limit: %q", got)
		}
		d.Blobs[0].ArtifactMetadata += "x"
		if got := problemsOf(CheckDefinitions("d", []*Definition{d})); got != "error: Too much in the device's envelopes" {
			t.Errorf("past the limit: %q", got)
		}
	}
}

func sealedConfig(t testing.TB, d *Definition) *evepb.EdgeDevConfig {
	t.Helper()
	s := testSealer(t)
	e, err := d.Seal(s)
	if err != nil {
		t.Fatal(err)
	}
	return &evepb.EdgeDevConfig{PatchEnvelopes: []*evepb.EvePatchEnvelope{e}, CipherContexts: []*evepb.CipherContext{s.Context()}}
}

// Files of other makers.
func TestCheckFiles(t *testing.T) {
	long := Blob{Name: "long-secret", Content: []byte("long enough for a block"), Encrypt: true}
	define := func(blobs ...Blob) *Definition {
		return &Definition{Name: "e", UUID: testUUID, Apps: []string{testApp}, Blobs: blobs}
	}
	cipher := func(c *evepb.EdgeDevConfig, n int) *evepb.CipherBlock {
		return c.GetPatchEnvelopes()[0].GetArtifacts()[n].GetEncryptedInline().GetCipherData()
	}
	second := long
	second.Name = "second-secret"
	const opens = "error: Encrypted data that cannot be opened"
	for _, c := range []struct {
		name   string
		in     *Definition
		spoil  func(*evepb.EdgeDevConfig)
		sealed string // without a key
		opened string
	}{
		{"good", define(long, second), func(*evepb.EdgeDevConfig) {}, "", ""},
		{"no context", define(long), func(c *evepb.EdgeDevConfig) { c.CipherContexts = nil }, "error: Missing cipher context", "error: Missing cipher context"},
		{"two contexts", define(long), func(c *evepb.EdgeDevConfig) {
			c.CipherContexts = append(c.CipherContexts, &evepb.CipherContext{
				ContextId: c.CipherContexts[0].ContextId, HashScheme: 1, KeyExchangeScheme: 1, EncryptionScheme: 1,
				DeviceCertHash: make([]byte, 16), ControllerCertHash: make([]byte, 16),
			})
		}, "error: Context twice", "error: Context twice"},
		{"schemes", define(long), func(c *evepb.EdgeDevConfig) { c.CipherContexts[0].EncryptionScheme = 0 }, "error: Unusable cipher context", "error: Unusable cipher context; " + opens},
		{"hash lengths", define(long), func(c *evepb.EdgeDevConfig) { c.CipherContexts[0].HashScheme = 2 }, "error: Unusable cipher context", "error: Unusable cipher context; " + opens},
		{"12 bytes of initial value", define(long), func(c *evepb.EdgeDevConfig) { b := cipher(c, 0); b.InitialValue = b.InitialValue[:12] }, "error: Malformed cipher block", "error: Malformed cipher block"},
		{"short cipher text", define(long), func(c *evepb.EdgeDevConfig) { b := cipher(c, 0); b.CipherData = b.CipherData[:15] }, "error: Cipher text too short", "error: Cipher text too short"},
		{"changed cipher text", define(long), func(c *evepb.EdgeDevConfig) { cipher(c, 0).CipherData[0] ^= 1 }, "", opens},
		{"fixed initial value", define(long, second), func(c *evepb.EdgeDevConfig) { cipher(c, 1).InitialValue = cipher(c, 0).InitialValue }, "error: Initial value used twice", "error: Initial value used twice; " + opens},
		{"same start", define(long, second), func(c *evepb.EdgeDevConfig) { copy(cipher(c, 1).CipherData, cipher(c, 0).CipherData[:16]) }, "error: Cipher texts that begin alike", "error: Cipher texts that begin alike; " + opens},
		{"names inside", define(long, Blob{Name: "a/b", Content: []byte("secret enough"), Encrypt: true}, long), func(*evepb.EdgeDevConfig) {}, "", "error: Invalid name of a blob; error: Name twice on one device"},
		{"large inside", define(Blob{Name: "f", Content: make([]byte, 7681), Encrypt: true}), func(*evepb.EdgeDevConfig) {}, "", "error: Inline blob too large"},
		{"SECRET", define(long), func(c *evepb.EdgeDevConfig) { c.PatchEnvelopes[0].Artifacts[0].Format = 3 }, "error: Invalid format", "error: Invalid format"},
		{"format", define(long), func(c *evepb.EdgeDevConfig) { c.PatchEnvelopes[0].Artifacts[0].Format = 0 }, "warning: Unexpected format", "warning: Unexpected format"},
		{"no blob", define(long), func(c *evepb.EdgeDevConfig) { c.PatchEnvelopes[0].Artifacts[0].BinaryBlob = nil }, "error: Blob without content", "error: Blob without content"},
		{"app in capitals", define(long), func(c *evepb.EdgeDevConfig) {
			c.PatchEnvelopes[0].AppInstIdsAllowed[0] = strings.ToUpper(testApp)
		}, "error: UUID in capitals", "error: UUID in capitals"},
		{"no base64", define(Blob{Name: "f", Content: []byte("x")}), func(c *evepb.EdgeDevConfig) { c.PatchEnvelopes[0].Artifacts[0].GetInline().Base64Data = "!" }, "warning: Content that is not base64", "warning: Content that is not base64"},
		{"encrypted metadata", define(Blob{Name: "f", Content: []byte("x"), ArtifactMetadata: "for Grace only", EncryptMetadata: true}), func(*evepb.EdgeDevConfig) {}, "warning: Encrypted artifact metadata", "warning: Encrypted artifact metadata"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := sealedConfig(t, c.in)
			c.spoil(config)
			if got := problemsOf(Check("d", config, nil).Problems); got != c.sealed {
				t.Errorf("without a key: %q, want %q", got, c.sealed)
			}
			o, err := NewOpener(testKey(t, "device"), config.GetCipherContexts(), testCert(t, "controller"))
			if err != nil {
				t.Fatal(err)
			}
			r := Check("d", config, o)
			if got := problemsOf(r.Problems); got != c.opened || r.Sealed != 0 {
				t.Errorf("with a key: %q, want %q; %d not opened", got, c.opened, r.Sealed)
			}
		})
	}
}

// What a check of definitions lets pass, a check of the sealed files lets pass,
// whatever the definition.
func TestChecksAgree(t *testing.T) {
	names := []string{"a", "b/c", "index.html", "a b", "", "password-of-the-pump", "encInline-1"}
	for range 300 {
		d := &Definition{Name: "e", UUID: testUUID, Apps: []string{testApp}}
		for range rand.IntN(4) {
			b := Blob{Name: names[rand.IntN(len(names))], Content: make([]byte, rand.IntN(30)), Encrypt: rand.IntN(2) == 0}
			if rand.IntN(3) == 0 {
				b.ArtifactMetadata, b.EncryptMetadata = strings.Repeat("x", rand.IntN(20)), rand.IntN(2) == 0
			}
			if rand.IntN(4) == 0 {
				b.Volume = volume(testApp)
			}
			d.Blobs = append(d.Blobs, b)
		}
		config := sealedConfig(t, d)
		o, err := NewOpener(testKey(t, "device"), config.GetCipherContexts(), testCert(t, "controller"))
		if err != nil {
			t.Fatal(err)
		}
		before, after := HasErrors(CheckDefinitions("", []*Definition{d})), HasErrors(Check("", config, o).Problems)
		if before != after {
			t.Fatalf("definition %+v: errors %v before and %v after sealing", d, before, after)
		}
	}
}
