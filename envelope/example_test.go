package envelope_test

import (
	"fmt"
	"os"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// An envelope with a secret, from definition to what the device reads.
func Example() {
	read := func(name string) []byte {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			panic(err)
		}
		return b
	}
	key, _ := envelope.ParsePrivateKey(read("controller.key"))
	controller, _ := envelope.ParseCertificate(read("controller.pem"))
	device, _ := envelope.ParseCertificate(read("device.pem"))

	d := &envelope.Definition{
		Name: "settings", UUID: "2d4f1c5e-8a0b-4f3d-9c61-0b7e5a3d1f24", Activate: true,
		Apps:  []string{"5f0a7c52-4c43-4f6a-a2b1-8a6f0d7b9e11"},
		Blobs: []envelope.Blob{{Name: "password", Content: []byte("correct horse"), Encrypt: true}},
	}
	for _, p := range envelope.CheckDefinitions("pump-1", []*envelope.Definition{d}) {
		fmt.Println(p.Severity, p.Where(), p.Summary)
	}
	sealer, _ := envelope.NewSealer(envelope.Controller{Key: key, Certificate: controller}, envelope.Device{Certificate: device})
	sealed, _ := d.Seal(sealer)

	deviceKey, _ := envelope.ParsePrivateKey(read("device.key"))
	opener, _ := envelope.NewOpener(deviceKey, []*evepb.CipherContext{sealer.Context()}, controller)
	blob, err := opener.Inline(sealed.GetArtifacts()[0].GetEncryptedInline())
	fmt.Println(blob.GetFileNameToUse(), blob.GetBase64Data(), err)
	// Output: password Y29ycmVjdCBob3JzZQ== <nil>
}
