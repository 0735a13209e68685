package envelope

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// Whatever is opened has been sealed with the keys of the test.
func FuzzOpen(f *testing.F) {
	s := testSealer(f)
	block, err := s.Block([]byte("a secret of some length"))
	if err != nil {
		f.Fatal(err)
	}
	o, err := NewOpener(testKey(f, "device"), []*evepb.CipherContext{s.Context()}, testCert(f, "controller"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(block.GetInitialValue(), block.GetCipherData(), block.GetClearTextSha256())
	f.Add([]byte{}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, iv, data, sum []byte) {
		b := &evepb.CipherBlock{CipherContextId: s.context.GetContextId(), InitialValue: iv, CipherData: data, ClearTextSha256: sum}
		clear, err := o.Block(b)
		if (err == nil) != (clear != nil) {
			t.Fatalf("clear text %q with error %v", clear, err)
		}
		if err == nil {
			if again, err := s.block(clear, iv); err != nil || !proto.Equal(again, b) {
				t.Fatalf("%v is another block: %v", again, err)
			}
		}
	})
}

// Files of any content are refused, or checked and merged without harm.
func FuzzReadConfig(f *testing.F) {
	config := sealedConfig(f, everyKind())
	for _, encode := range []func(proto.Message) ([]byte, error){Marshal, MarshalJSON} {
		b, err := encode(config)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	o, err := NewOpener(testKey(f, "device"), config.GetCipherContexts(), testCert(f, "controller"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = ReadContext(data)
		merged, mergeErr := Merge(data, config)
		if mergeErr == nil {
			back, err := ReadConfig(merged)
			if err != nil || len(back.GetPatchEnvelopes()) == 0 {
				t.Fatalf("a merged configuration does not read: %v", err)
			}
		}
		c, err := ReadConfig(data)
		if err != nil {
			return
		}
		Check("", c, nil)
		Check("", c, o)
	})
}

// PEM of any content is refused, or is a key on P-256.
func FuzzPEM(f *testing.F) {
	for _, name := range []string{"device.key", "device.pem", "p384.key", "p384.pem", "rsa.key", "k1.key"} {
		f.Add(testFile(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if k, err := ParsePrivateKey(data); err == nil {
			if _, err := agree(k, k.PublicKey()); err != nil {
				t.Fatal(err)
			}
		}
		if c, err := ParseCertificate(data); err == nil {
			c.Canonical()
			if len(c.DeviceHash()) != hashLength || len(c.ControllerHash()) != hashLength || c.Key() == nil {
				t.Fatal("a certificate without a hash or key")
			}
		}
	})
}
