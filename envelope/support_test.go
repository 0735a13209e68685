package envelope

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const (
	testUUID = "2d4f1c5e-8a0b-4f3d-9c61-0b7e5a3d1f24"
	testApp  = "5f0a7c52-4c43-4f6a-a2b1-8a6f0d7b9e11"
)

func testFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func testKey(t testing.TB, name string) *ecdh.PrivateKey {
	t.Helper()
	k, err := ParsePrivateKey(testFile(t, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func testCert(t testing.TB, name string) *Certificate {
	t.Helper()
	c, err := ParseCertificate(testFile(t, name+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testSealer(t testing.TB) *Sealer {
	t.Helper()
	s, err := NewSealer(Controller{Key: testKey(t, "controller"), Certificate: testCert(t, "controller")}, Device{Certificate: testCert(t, "device")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newDevice makes a key with its certificate.
func newDevice(t testing.TB, name string) (*ecdh.PrivateKey, *Certificate) {
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
	c, err := ParseCertificate(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	private, err := k.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	return private, c
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// everyKind is an envelope with a blob of each kind.
func everyKind() *Definition {
	return &Definition{
		Name: "settings", UUID: testUUID, Version: "1.2", Activate: true, Apps: []string{testApp},
		Created: time.Unix(1_785_000_000, 0).UTC(),
		Blobs: []Blob{
			{Name: "limits.yaml", Content: []byte("max: 7\n"), Metadata: "eyJhIjoxfQ==", ArtifactMetadata: "from Ada"},
			{Name: "password", Content: []byte("correct horse\n"), Encrypt: true, Metadata: "cm90YXRlZA=="},
			{Name: "model.bin", Volume: &Volume{ID: "7d7f5a8e-13f4-4d44-8a58-5a8e0f9c0a01", Image: "model"}, Metadata: "v3"},
			{Name: "weights.bin", Volume: &Volume{ID: "7d7f5a8e-13f4-4d44-8a58-5a8e0f9c0a02"}, Encrypt: true},
			{Name: "notes", Content: []byte{0, 1, 0xff}, ArtifactMetadata: "for Grace only", EncryptMetadata: true},
		},
	}
}
