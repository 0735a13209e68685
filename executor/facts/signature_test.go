package facts

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

// pemOf gives the PEM form of a public key.
func pemOf(t *testing.T, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	check(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func payloadFor(d digest.Digest) string {
	return fmt.Sprintf(`{"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":%q},"type":%q},"optional":null}`, d, signatureType)
}

func ecdsaSign(t *testing.T, key *ecdsa.PrivateKey, payload string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(payload))
	s, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	check(t, err)
	return s
}

// signatureImage is what cosign pushes beside an image: payloads and signatures
// in turn.
func signatureImage(t *testing.T, mediaType string, parts ...string) v1.Image {
	t.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	var err error
	for i := 0; i < len(parts); i += 2 {
		img, err = mutate.Append(img, mutate.Addendum{
			Layer:       static.NewLayer([]byte(parts[i]), types.MediaType(mediaType)),
			Annotations: map[string]string{signatureAnnotation: parts[i+1]},
		})
		check(t, err)
	}
	return img
}

// query asks for one image, through the configuration as plan does it.
func query(t *testing.T, w *Workspace, ref string, d digest.Digest, keys ...string) error {
	t.Helper()
	var paths []lang.Path
	for _, k := range keys {
		paths = append(paths, lang.Path{Name: k})
	}
	cfg := &lang.Config{Sites: []*lang.Site{{Name: "a", Patch: lang.Patch{Policy: lang.Policy{SignatureKeys: paths}}}}}
	want := &planner.Desired{
		Images: []*planner.Image{{Address: "i", Source: &planner.Source{Ref: ref, Digest: d}}},
		Sites:  []*planner.Site{{Name: "a", Images: []planner.SiteImage{{Name: "i", Address: "i"}}}},
	}
	queries := planner.SignatureQueries(cfg, want)
	if len(queries) != 1 {
		t.Fatalf("%d queries", len(queries))
	}
	answers := w.Signatures(t.Context(), queries)
	err, ok := answers[queries[0]]
	if !ok || len(answers) != 1 {
		t.Fatalf("answers %v", answers)
	}
	return err
}

func TestSignatures(t *testing.T) {
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	repo := strings.TrimPrefix(s.URL, "http://") + "/team/app"
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	large, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	check(t, err)
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	w := workspace(t, map[string]string{
		"k/ec.pub": pemOf(t, &key.PublicKey), "k/other.pub": pemOf(t, &other.PublicKey), "k/ed.pub": pemOf(t, edPublic),
		"k/p384.pub": pemOf(t, &large.PublicKey), "k/text.pub": "no key", "k/cut.pub": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		"k/private": "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED COSIGN PRIVATE KEY-----\n",
	})
	b64 := base64.StdEncoding.EncodeToString
	elsewhere := digest.FromString("elsewhere")
	for i, c := range []struct {
		name string
		make func(d digest.Digest) v1.Image // nil: nothing is pushed
		keys []string
		want string // empty where the image counts as signed
	}{
		{"ECDSA", func(d digest.Digest) v1.Image {
			return signatureImage(t, signatureMediaType, payloadFor(d), b64(ecdsaSign(t, key, payloadFor(d))))
		}, []string{"k/ec.pub"}, ""},
		{"Ed25519, second key", func(d digest.Digest) v1.Image {
			return signatureImage(t, signatureMediaType, payloadFor(d), b64(ed25519.Sign(edKey, []byte(payloadFor(d)))))
		}, []string{"k/ec.pub", "k/ed.pub"}, ""},
		{"one of several signatures", func(d digest.Digest) v1.Image {
			return signatureImage(t, signatureMediaType, "junk", "no base64!", payloadFor(d), b64(ecdsaSign(t, other, payloadFor(d))), payloadFor(d), b64(ecdsaSign(t, key, payloadFor(d))))
		}, []string{"k/ec.pub"}, ""},
		{"none", nil, []string{"k/ec.pub"}, "it has no signature: its repository has no tag sha256-"},
		{"another key", func(d digest.Digest) v1.Image {
			return signatureImage(t, signatureMediaType, payloadFor(d), b64(ecdsaSign(t, other, payloadFor(d))))
		}, []string{"k/ec.pub", "k/ed.pub"}, "not signed with any of the keys"},
		{"another image", func(digest.Digest) v1.Image {
			return signatureImage(t, signatureMediaType, payloadFor(elsewhere), b64(ecdsaSign(t, key, payloadFor(elsewhere))))
		}, []string{"k/ec.pub"}, "is of another image"},
		{"changed payload", func(d digest.Digest) v1.Image {
			return signatureImage(t, signatureMediaType, payloadFor(d)+" ", b64(ecdsaSign(t, key, payloadFor(d))))
		}, []string{"k/ec.pub"}, "not signed with any"},
		{"another type of claim", func(d digest.Digest) v1.Image {
			p := strings.Replace(payloadFor(d), signatureType, "greeting", 1)
			return signatureImage(t, signatureMediaType, p, b64(ecdsaSign(t, key, p)))
		}, []string{"k/ec.pub"}, `of type "greeting"`},
		{"no JSON", func(digest.Digest) v1.Image {
			return signatureImage(t, signatureMediaType, "x", b64(ecdsaSign(t, key, "x")))
		}, []string{"k/ec.pub"}, "cannot be parsed"},
		{"not base64", func(d digest.Digest) v1.Image { return signatureImage(t, signatureMediaType, payloadFor(d), "!") }, []string{"k/ec.pub"}, "damaged"},
		{"layers of another kind", func(d digest.Digest) v1.Image {
			return signatureImage(t, string(types.OCILayer), payloadFor(d), b64(ecdsaSign(t, key, payloadFor(d))))
		}, []string{"k/ec.pub"}, "it has no signature"},
		{"no such key", nil, []string{"k/none.pub"}, "cannot read"},
		{"no PEM", nil, []string{"k/text.pub"}, "no PEM file"},
		{"damaged key", nil, []string{"k/cut.pub"}, "cannot use the key"},
		{"private key", nil, []string{"k/private"}, "name the file with the PUBLIC KEY"},
		{"P-384", nil, []string{"k/p384.pub"}, "neither ECDSA P-256 nor Ed25519"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := digest.FromString(fmt.Sprint("image ", i))
			if c.make != nil {
				tag, err := name.NewTag(repo + ":sha256-" + d.Encoded() + ".sig")
				check(t, err)
				check(t, remote.Write(tag, c.make(d)))
			}
			err := query(t, w, repo+":1", d, c.keys...)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	s.Close()
	if err := query(t, w, repo+":1", elsewhere, "k/ec.pub"); err == nil || !strings.Contains(err.Error(), "cannot ask registry") {
		t.Errorf("a registry that is down: %v", err)
	}
}

func TestLayoutSignatures(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	w := workspace(t, map[string]string{"ec.pub": pemOf(t, &key.PublicKey)})
	img, err := random.Image(10, 1)
	check(t, err)
	h, err := img.Digest()
	check(t, err)
	d := digest.Digest(h.String())
	signature := signatureImage(t, signatureMediaType, payloadFor(d), base64.StdEncoding.EncodeToString(ecdsaSign(t, key, payloadFor(d))))
	for dir, annotations := range map[string]map[string]string{
		"saved":  {"kind": signatureKind},
		"copied": {"org.opencontainers.image.ref.name": "sha256-" + d.Encoded() + ".sig"},
		"full":   {"org.opencontainers.image.ref.name": "r.example/app:sha256-" + d.Encoded() + ".sig"},
		"other":  {"org.opencontainers.image.ref.name": "latest"},
	} {
		p, err := layout.Write(filepath.Join(w.dir, dir), empty.Index)
		check(t, err)
		check(t, p.AppendImage(img))
		check(t, p.AppendImage(signature, layout.WithAnnotations(annotations)))
		err = query(t, w, "oci-layout://"+dir, d, "ec.pub")
		if (err == nil) != (dir != "other") {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if err := query(t, w, "oci-layout://nowhere", d, "ec.pub"); err == nil || !strings.Contains(err.Error(), "cannot read the layout") {
		t.Errorf("no layout: %v", err)
	}
}
