package envelope

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// NIST SP 800-38A, F.3.17: CFB128-AES256.
func TestCFBVector(t *testing.T) {
	key := [32]byte(unhex(t, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"))
	iv := unhex(t, "000102030405060708090a0b0c0d0e0f")
	clear := unhex(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	want := unhex(t, "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407bdf10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471")
	for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 33, 63, 64} {
		got, err := cfb(key, iv, clear[:n], false)
		if err != nil || !bytes.Equal(got, want[:n]) {
			t.Errorf("%d bytes: got %x, %v", n, got, err)
		}
		back, err := cfb(key, iv, got, true)
		if err != nil || !bytes.Equal(back, clear[:n]) {
			t.Errorf("%d bytes back: got %x, %v", n, back, err)
		}
	}
}

// The keys are NIST CAVP's ECDH vector P-256 COUNT=0. Its y, the AES key and the
// cipher text were computed with Python's integers and OpenSSL.
func TestSealVector(t *testing.T) {
	private, err := ecdh.P256().NewPrivateKey(unhex(t, "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534"))
	if err != nil {
		t.Fatal(err)
	}
	public, err := ecdh.P256().NewPublicKey(unhex(t, "04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac"))
	if err != nil {
		t.Fatal(err)
	}
	x, y, err := commonPoint(private, public)
	if err != nil || x.Text(16) != "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b" || y.Text(16) != "c553079d5a6b963c42f013ceb53c9715144bfb52d700d015387e4fae2918a9cd" {
		t.Errorf("common point %x, %x, %v", x, y, err)
	}
	key, err := agree(private, public)
	if err != nil || hex.EncodeToString(key[:]) != "a500a830671bfa971039743b8eedef7f430b04151e54c17ae072f87ec0a7b3d3" {
		t.Errorf("key %x, %v", key, err)
	}
	blob := Blob{Name: "password", Content: []byte("correct horse\n")}
	clear, err := proto.Marshal(blob.inlineMessage())
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(clear); got != "0a1459323979636d566a6443426f62334a7a5a516f3d120870617373776f7264" {
		t.Errorf("clear text %s", got)
	}
	s := &Sealer{key: key, context: &evepb.CipherContext{ContextId: "c"}}
	b, err := s.block(clear, unhex(t, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(b.GetCipherData()); got != "7ca30ec4c5103d71c77e0f6a940b21991abae6abb2f70acef5ff752eb4dcab59" {
		t.Errorf("cipher text %s", got)
	}
	if got := hex.EncodeToString(b.GetClearTextSha256()); got != "f0108ed4a03473709f5b01692dc8f9df130653b3ace3167bb1a036e6af2a6e27" {
		t.Errorf("clear text sha256 %s", got)
	}
}

// Computed with sha256sum and Python's uuid from the files in testdata.
func TestContextVector(t *testing.T) {
	c := testSealer(t).Context()
	want := &evepb.CipherContext{
		ContextId:  "ad47972f-0f0b-5bca-a43b-ff8030084fdc",
		HashScheme: 1, KeyExchangeScheme: 1, EncryptionScheme: 1,
		DeviceCertHash:     unhex(t, "c2a799c20d17df325cee258a71d89e90"),
		ControllerCertHash: unhex(t, "07b6d981983f32e75cf23db079f1b677"),
	}
	if !proto.Equal(c, want) {
		t.Errorf("got %v", c)
	}
}

func TestMetadataVector(t *testing.T) {
	b, err := proto.Marshal(&evepb.EncryptionBlock{User: evepb.EncryptionBlockUser_ENCRYPTION_BLOCK_USER_BINARY_ARTIFACT_METADATA, EncryptedData: "hi"})
	if err != nil || hex.EncodeToString(b) != "480152026869" {
		t.Errorf("got %x, %v", b, err)
	}
}

// The field numbers are those of the design, seen on the wire.
func TestWireVector(t *testing.T) {
	d := &Definition{Name: "n", UUID: "u", Activate: true, Apps: []string{"a"}, Blobs: []Blob{
		{Name: "f", Content: []byte("x"), Metadata: "m", ArtifactMetadata: "t"},
		{Name: "g", Volume: &Volume{ID: "i", Image: "j"}},
		{Name: "h", Content: []byte("x"), Encrypt: true, ArtifactMetadata: "t", EncryptMetadata: true},
		{Name: "k", Volume: &Volume{ID: "i"}, Encrypt: true},
	}}
	e, err := d.message(func([]byte) (*evepb.CipherBlock, error) {
		return &evepb.CipherBlock{CipherContextId: "c", InitialValue: []byte{1}, CipherData: []byte{2}, ClearTextSha256: []byte{3}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Marshal(&evepb.EdgeDevConfig{PatchEnvelopes: []*evepb.EvePatchEnvelope{e}, CipherContexts: []*evepb.CipherContext{{ContextId: "c"}}})
	const want = "9a01" + "03" + "0a0163" + // cipherContexts = 19
		"d202" + "65" + "0a016e" + "120175" + "2001" + // patchEnvelopes = 42: name, uuid, ACTIVATE
		"2a13" + "0801" + "220174" + "120c" + "0a0465413d3d" + "120166" + "1a016d" + // artifactMetaData = 4, inline = 2
		"2a0d" + "0802" + "1a09" + "0a016a" + "120167" + "220169" + // volumeRef = 3
		"2a20" + "0801" + "2a0c" + "0a0163" + "120101" + "1a0102" + "220103" + // metadata_cipher_data = 5
		"320e" + "0a0c" + "0a0163" + "120101" + "1a0102" + "220103" + // encrypted_inline = 6
		"2a12" + "0802" + "3a0e" + "0a0c" + "0a0163" + "120101" + "1a0102" + "220103" + // encrypted_volumeref = 7
		"320161" // appInstIdsAllowed = 6
	if got := hex.EncodeToString(b); err != nil || got != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}
