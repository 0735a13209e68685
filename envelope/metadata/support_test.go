package metadata

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/envelope/evepb"
)

const (
	patchID  = "2d4f1c5e-8a0b-4f3d-9c61-0b7e5a3d1f24"
	storedID = "2d4f1c5e-8a0b-4f3d-9c61-0b7e5a3d1f25"
	app      = "5f0a7c52-4c43-4f6a-a2b1-8a6f0d7b9e11"
	idleApp  = "5f0a7c52-4c43-4f6a-a2b1-8a6f0d7b9e12"
	volumeID = "7d7f5a8e-13f4-4d44-8a58-5a8e0f9c0a01"
	secretID = "7d7f5a8e-13f4-4d44-8a58-5a8e0f9c0a02"
	lateID   = "7d7f5a8e-13f4-4d44-8a58-5a8e0f9c0a03"

	appAddress  = "192.0.2.1:1000"
	idleAddress = "192.0.2.2:1000"
	elsewhere   = "198.51.100.1:1000"
)

// A side has a key with its certificate.
type side struct {
	key  *ecdh.PrivateKey
	cert *envelope.Certificate
}

func newSide(t testing.TB, name string) side {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	c, err := envelope.ParseCertificate(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	private, err := k.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	return side{private, c}
}

// A fixture is a folder with a configuration and volumes, and the keys of both
// sides.
type fixture struct {
	t                  testing.TB
	dir                string
	controller, device side
	server             *Server
	loader             *Loader
	log                bytes.Buffer
}

func newFixture(t testing.TB, definitions ...*envelope.Definition) *fixture {
	f := &fixture{t: t, dir: t.TempDir(), controller: newSide(t, "controller"), device: newSide(t, "device")}
	f.write(definitions...)
	f.loader = NewLoader(Files{Envelopes: []string{f.path("config.pb")}, VolumeDir: f.dir, Open: f.open})
	apps := make(Apps)
	for address, id := range map[string]string{"192.0.2.1": app, "192.0.2.2": idleApp, "127.0.0.0/8": app} {
		if err := apps.Add(address, id); err != nil {
			t.Fatal(err)
		}
	}
	f.server = NewServer(Options{Apps: apps, Log: slog.New(slog.NewJSONHandler(&f.log, nil))})
	return f
}

func (f *fixture) path(name string) string { return filepath.Join(f.dir, name) }

func (f *fixture) open(contexts []*evepb.CipherContext) (*envelope.Opener, error) {
	return envelope.NewOpener(f.device.key, contexts, f.controller.cert)
}

// write seals envelopes into config.pb, which changes in one step.
func (f *fixture) write(definitions ...*envelope.Definition) {
	f.t.Helper()
	s, err := envelope.NewSealer(envelope.Controller{Key: f.controller.key, Certificate: f.controller.cert}, envelope.Device{Certificate: f.device.cert})
	if err != nil {
		f.t.Fatal(err)
	}
	config := &evepb.EdgeDevConfig{CipherContexts: []*evepb.CipherContext{s.Context()}}
	for _, d := range definitions {
		e, err := d.Seal(s)
		if err != nil {
			f.t.Fatal(err)
		}
		config.PatchEnvelopes = append(config.PatchEnvelopes, e)
	}
	b, err := envelope.Marshal(config)
	if err != nil {
		f.t.Fatal(err)
	}
	f.put("new", b)
	if err := os.Rename(f.path("new"), f.path("config.pb")); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) put(name string, b []byte) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), b, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// load makes the server show what the files say now.
func (f *fixture) load() (bool, []error) {
	f.t.Helper()
	state, warnings, err := f.loader.Load(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	if state != nil {
		f.server.Show(state)
	}
	return state != nil, warnings
}

// do answers a request without a network.
func (f *fixture) do(method, source, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr = source
	for n := 0; n+1 < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	w := httptest.NewRecorder()
	f.server.ServeHTTP(w, r)
	return w
}

func (f *fixture) get(path string) string {
	f.t.Helper()
	w := f.do(http.MethodGet, appAddress, path)
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(b)
}

// settings has a blob of each kind, out of the order of a device.
func settings() *envelope.Definition {
	return &envelope.Definition{
		Name: "settings", UUID: patchID, Version: "1.2", Activate: true, Apps: []string{app},
		Blobs: []envelope.Blob{
			{Name: "password", Content: []byte("correct horse\n"), Metadata: "m1", Encrypt: true},
			{Name: "model.bin", Volume: &envelope.Volume{ID: volumeID, Image: "model"}, Metadata: "m2", ArtifactMetadata: "a2"},
			{Name: "late.bin", Volume: &envelope.Volume{ID: lateID, Image: "late"}, Metadata: "m3"},
			{Name: "limits.yaml", Content: []byte("max: 7\n"), Metadata: "m4", ArtifactMetadata: "a4"},
			{Name: "weights.bin", Volume: &envelope.Volume{ID: secretID}, Encrypt: true},
		},
	}
}

func stored() *envelope.Definition {
	return &envelope.Definition{Name: "stored", UUID: storedID, Apps: []string{app, idleApp}, Blobs: []envelope.Blob{{Name: "x", Content: []byte("x")}}}
}
