package envelope

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func TestKeyForms(t *testing.T) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	want, err := k.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(k)
	sec1, _ := x509.MarshalECPrivateKey(k)
	write := func(label string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
	}
	parameters := write("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7})
	for name, text := range map[string]string{
		"PKCS#8":                     write("PRIVATE KEY", pkcs8),
		"SEC1":                       write("EC PRIVATE KEY", sec1),
		"SEC1 labelled PRIVATE KEY":  write("PRIVATE KEY", sec1),
		"PKCS#8 labelled EC":         write("EC PRIVATE KEY", pkcs8),
		"behind parameters and text": "Bag\n" + parameters + write("EC PRIVATE KEY", sec1),
		"line ends of Windows":       strings.ReplaceAll(write("PRIVATE KEY", pkcs8), "\n", "\r\n"),
	} {
		if got, err := ParsePrivateKey([]byte(text)); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":       {"", "no PEM block"},
		"binary":      {string(pkcs8), "no PEM block"},
		"certificate": {string(testFile(t, "device.pem")), `no PEM block "PRIVATE KEY"`},
		"locked":      {write("ENCRYPTED PRIVATE KEY", pkcs8), "passphrase"},
		"damaged":     {write("PRIVATE KEY", pkcs8[:20]), "neither PKCS#8 nor SEC1"},
		"P-384":       {string(testFile(t, "p384.key")), "on the curve P-384, and EVE encrypts with keys on the curve P-256 only"},
		"secp256k1":   {string(testFile(t, "k1.key")), "unknown elliptic curve"},
		"RSA":         {string(testFile(t, "rsa.key")), "an RSA key"},
	} {
		_, err := ParsePrivateKey([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestCertificates(t *testing.T) {
	file := testFile(t, "device.pem")
	want := testCert(t, "device").DeviceHash()
	if c, err := ParseCertificate(bytes.TrimSuffix(file, []byte("\n"))); err != nil || !bytes.Equal(c.DeviceHash(), want) || !c.Canonical() {
		t.Errorf("without the last line end: %v", err)
	}
	windows, err := ParseCertificate(bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")))
	if err != nil || bytes.Equal(windows.DeviceHash(), want) || windows.Canonical() {
		t.Errorf("line ends of Windows: %v", err)
	}
	text := "subject\n" + string(file)
	if c, err := ParseCertificate([]byte(text)); err != nil || c.Canonical() || !bytes.Equal(c.ControllerHash(), testCert(t, "device").ControllerHash()) {
		t.Errorf("with text: %v", err)
	}
	_, leaf := newDevice(t, "leaf")
	chain := append(testFile(t, "controller.pem"), leaf.file...)
	if c, err := ParseCertificate(chain); err != nil || c.Subject() != "CN=leaf" || !bytes.Equal(c.ControllerHash(), leaf.ControllerHash()) {
		t.Errorf("chain: %v, %v", c, err)
	}
	for _, text := range []string{string(file) + string(testFile(t, "device.key")), string(testFile(t, "rsa.key")) + string(file)} {
		if c, err := ParseCertificate([]byte(text)); err != nil || !c.HoldsPrivateKey() {
			t.Errorf("with a private key: %v", err)
		}
	}
	if testCert(t, "device").HoldsPrivateKey() || leaf.HoldsPrivateKey() {
		t.Error("a certificate is taken for a private key")
	}
	if sum := sha256.Sum256(bytes.TrimSpace(file)); !bytes.Equal(testCert(t, "device").ControllerHash(), sum[:16]) {
		t.Error("a controller's hash is over the trimmed text")
	}
	for name, c := range map[string]struct{ text, want string }{
		"P-384":   {string(testFile(t, "p384.pem")), "on the curve P-384"},
		"key":     {string(testFile(t, "device.key")), `no PEM block "CERTIFICATE"`},
		"damaged": {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot read certificate"},
	} {
		if _, err := ParseCertificate([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNewSealer(t *testing.T) {
	key, device, controller := testKey(t, "controller"), testCert(t, "device"), testCert(t, "controller")
	for name, c := range map[string]struct {
		c    Controller
		d    Device
		want string
	}{
		"nothing":       {Controller{}, Device{}, "it takes the controller's key"},
		"another's key": {Controller{Key: testKey(t, "other"), Certificate: controller}, Device{Certificate: device}, "does not belong to certificate"},
		"no hash":       {Controller{Key: key}, Device{Certificate: device}, "neither the controller's certificate nor its hash"},
		"short hash":    {Controller{Key: key, Hash: []byte{1}}, Device{Certificate: device, Hash: []byte{1}}, "it takes 16 or 32"},
		"unequal":       {Controller{Key: key, Hash: make([]byte, 32)}, Device{Certificate: device}, "32 bytes and the device's 16"},
	} {
		if _, err := NewSealer(c.c, c.d); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	s, err := NewSealer(Controller{Key: key, Hash: make([]byte, 32)}, Device{Certificate: device, Hash: make([]byte, 32)})
	if err != nil || s.Context().GetHashScheme() != 2 {
		t.Errorf("explicit hashes: %v", err)
	}
}
