package main

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flotobuild/flotobuild/internal/evetest"
)

// cmdDecode opens a device's configuration with a decoder that shares no code
// with the program, and prints a line for each blob, with the content or the id
// of the volume.
func cmdDecode(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 3, "decode CONFIG KEY PEER")
	blobs := evetest.Config(ts, []byte(ts.ReadFile(args[0])), scriptKey(ts, args[1]), scriptPeer(ts, args[2]))
	for _, name := range slices.Sorted(maps.Keys(blobs)) {
		text := blobs[name]
		if b, err := base64.StdEncoding.DecodeString(text); err == nil {
			text = string(b)
		}
		_, err := ts.Stdout().Write([]byte(name + " = " + text + "\n"))
		ts.Check(err)
	}
}

func scriptKey(ts *testscript.TestScript, name string) *ecdh.PrivateKey {
	b, _ := pem.Decode([]byte(ts.ReadFile(name)))
	if b == nil {
		ts.Fatalf("%s is no PEM", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		key, err = x509.ParseECPrivateKey(b.Bytes)
	}
	ts.Check(err)
	private, err := key.(*ecdsa.PrivateKey).ECDH()
	ts.Check(err)
	return private
}

func scriptPeer(ts *testscript.TestScript, name string) *ecdh.PublicKey {
	b, _ := pem.Decode([]byte(ts.ReadFile(name)))
	if b == nil {
		ts.Fatalf("%s is no PEM", name)
	}
	cert, err := x509.ParseCertificate(b.Bytes)
	ts.Check(err)
	public, err := cert.PublicKey.(*ecdsa.PublicKey).ECDH()
	ts.Check(err)
	return public
}
