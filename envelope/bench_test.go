package envelope

import (
	"crypto/ecdh"
	"fmt"
	"testing"
)

// A thousand devices with 20 secrets each, from keys to messages; then a second
// apply that finds by digest that nothing changed.
func BenchmarkSeal(b *testing.B) {
	const devices = 1000
	controller, cert := newDevice(b, "controller")
	certs := make([]*Certificate, devices)
	for n := range certs {
		_, certs[n] = newDevice(b, fmt.Sprintf("pump-%d", n))
	}
	d := &Definition{Name: "settings", UUID: testUUID, Apps: []string{testApp}}
	for n := range 20 {
		d.Blobs = append(d.Blobs, Blob{Name: fmt.Sprintf("secret-%d", n), Content: make([]byte, 1000), Encrypt: true})
	}
	b.Run("first", func(b *testing.B) {
		b.SetBytes(devices * 20 * 1000)
		for b.Loop() {
			for _, c := range certs {
				sealFor(b, controller, cert, c, d)
			}
		}
		b.ReportMetric(float64(devices*b.N)/b.Elapsed().Seconds(), "envelopes/s")
	})
	b.Run("unchanged", func(b *testing.B) {
		last, err := d.Digest([]byte("key"))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			for range certs {
				now, err := d.Digest([]byte("key"))
				if err != nil || string(now) != string(last) {
					b.Fatalf("the digest changed: %v", err)
				}
			}
		}
		b.ReportMetric(float64(devices*b.N)/b.Elapsed().Seconds(), "envelopes/s")
	})
}

func sealFor(b *testing.B, key *ecdh.PrivateKey, cert, device *Certificate, d *Definition) {
	s, err := NewSealer(Controller{Key: key, Certificate: cert}, Device{Certificate: device})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := d.Seal(s); err != nil {
		b.Fatal(err)
	}
}
