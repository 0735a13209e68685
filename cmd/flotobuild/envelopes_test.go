package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/internal/evetest"
)

// A fleet is a project with one envelope for many devices.
type fleet struct {
	dir     string
	devices []*ecdsa.PrivateKey
	peer    *ecdsa.PrivateKey // the controller's
	secret  string            // what every blob begins with
	blobs   int
}

func newFleet(t testing.TB, devices, blobs int) *fleet {
	t.Helper()
	f := &fleet{dir: t.TempDir(), secret: "the first bytes of all of them are the same: ", blobs: blobs}
	f.peer = f.identity(t, "controller")
	for n := range devices {
		f.devices = append(f.devices, f.identity(t, deviceName(n)))
	}
	f.write(t, "main.floto.hcl", fmt.Appendf(nil, `
variable "last" {
  default = "unchanged"
}
envelope "tuning" {
  version      = var.last
  allowed_apps = ["bc29c80d-e237-429c-a143-f65e7613f635"]
  device "all" {
    for_each    = { for n in range(%d) : format("d%%04d", n) => "d" }
    certificate = "${each.key}.pem"
  }
  controller {
    certificate = "controller.pem"
    key         = "controller.key"
  }
  blob "secret" {
    for_each = toset([for n in range(%d) : format("s%%02d", n)])
    content  = "%s${each.key}"
    encrypt  = ["content"]
  }
}
`, devices, blobs, f.secret), 0o600)
	return f
}

// identity makes a key and its certificate.
func (f *fleet) identity(t testing.TB, name string) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().AddDate(1, 0, 0)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	f.write(t, name+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o644)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if name == "controller" {
		f.write(t, name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	}
	return key
}

func (f *fleet) write(t testing.TB, name string, data []byte, perm os.FileMode) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), data, perm); err != nil {
		t.Fatal(err)
	}
}

func deviceName(n int) string { return fmt.Sprintf("d%04d", n) }

// keep writes the key of a device, as a soft device has it.
func (f *fleet) keep(t testing.TB, n int) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(f.devices[n])
	if err != nil {
		t.Fatal(err)
	}
	name := deviceName(n) + ".key"
	f.write(t, name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	return name
}

// run runs the command in the project.
func (f *fleet) run(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command("flotobuild", args...)
	cmd.Dir = f.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (f *fleet) output(t testing.TB, n int, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(f.dir, "dist", "envelopes", "tuning", deviceName(n), name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Secrets that begin alike have cipher texts that do not, on all devices, and
// every device opens its own.
func TestEnvelopesBeginDifferently(t *testing.T) {
	const devices, blobs = 20, 50
	f := newFleet(t, devices, blobs)
	f.run(t, "apply", "-auto-approve")
	public, err := f.peer.PublicKey.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	ivs, heads := make(map[string]bool), make(map[string]bool)
	for n, key := range f.devices {
		private, err := key.ECDH()
		if err != nil {
			t.Fatal(err)
		}
		raw := f.output(t, n, "config.pb")
		got := evetest.Config(t, raw, private, public)
		for name, text := range got {
			if b, err := base64.StdEncoding.DecodeString(text); err != nil || string(b) != f.secret+name {
				t.Errorf("device %d has %q for %q", n, b, name)
			}
		}
		if len(got) != blobs {
			t.Errorf("device %d has %d blobs", n, len(got))
		}
		for _, block := range cipherBlocks(t, raw) {
			ivs[string(block[2][0])] = true
			heads[string(block[3][0][:16])] = true
		}
	}
	f.served(t, 7)
	if len(ivs) != devices*blobs || len(heads) != devices*blobs {
		t.Errorf("%d initial values, %d beginnings of cipher texts", len(ivs), len(heads))
	}
}

// cipherBlocks finds the blocks of encrypted inline blobs.
func cipherBlocks(t testing.TB, config []byte) []evetest.Message {
	t.Helper()
	var out []evetest.Message
	for _, e := range evetest.Parse(t, config)[42] {
		for _, a := range evetest.Parse(t, e)[5] {
			for _, inline := range evetest.Parse(t, a)[6] {
				out = append(out, evetest.Parse(t, evetest.Parse(t, inline)[1][0]))
			}
		}
	}
	return out
}

// A second apply seals what has changed, and nothing else.
func TestEnvelopesKept(t *testing.T) {
	const devices = 1000
	f := newFleet(t, devices, 20)
	if out := f.run(t, "apply", "-auto-approve"); !strings.Contains(out, "1000 envelopes sealed.") {
		t.Fatal(out)
	}
	var before [][]byte
	for n := range devices {
		before = append(before, f.output(t, n, "envelope.pb"))
	}
	if out := f.run(t, "apply", "-auto-approve"); !strings.HasPrefix(out, "No changes.") {
		t.Error(out)
	}
	const renewed = 123
	f.devices[renewed] = f.identity(t, deviceName(renewed))
	if out := f.run(t, "apply", "-auto-approve"); !strings.Contains(out, "1 envelope sealed.") {
		t.Error(out)
	}
	for n := range devices {
		if same := string(before[n]) == string(f.output(t, n, "envelope.pb")); same == (n == renewed) {
			t.Errorf("device %d: kept %v", n, same)
		}
	}
}

// BenchmarkEnvelopes measures apply for 1,000 devices with 20 blobs each: all
// of them, none, and one whose certificate has changed.
func BenchmarkEnvelopes(b *testing.B) {
	const devices = 1000
	f := newFleet(b, devices, 20)
	perSecond := func(b *testing.B) {
		b.ReportMetric(devices*float64(b.N)/b.Elapsed().Seconds(), "envelopes/s")
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			if err := os.RemoveAll(filepath.Join(f.dir, "dist")); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			f.run(b, "apply", "-auto-approve")
		}
		perSecond(b)
	})
	b.Run("none", func(b *testing.B) {
		for b.Loop() {
			f.run(b, "apply", "-auto-approve")
		}
		perSecond(b)
	})
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			f.identity(b, "d0000")
			b.StartTimer()
			f.run(b, "apply", "-auto-approve")
		}
	})
}
