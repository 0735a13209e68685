package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/envelope/evepb"
	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// sealFlags are the flags of envelope seal.
type sealFlags struct {
	out, created                                 string
	definition                                   envelope.Definition
	blobs                                        blobFlags
	controllerKey, controllerCert, deviceCert    string
	controllerHash, deviceHash                   string
	fileMetadata, artifactMetadata, encryptedOne []string
}

func newEnvelopeSealCommand(a *app) *cobra.Command {
	var f sealFlags
	cmd := &cobra.Command{
		Use:   "seal -out=DIR -name=NAME -uuid=UUID [flags]",
		Short: "Build an envelope, encrypted where asked",
		Long: "seal builds an envelope without any configuration file. It checks all limits of devices first,\n" +
			"and writes envelope.pb, context.pb (where something is encrypted) and config.pb, a device's\n" +
			"configuration with both, each with its JSON beside it.\n\n" +
			"A blob's name is that of its file, unless NAME= stands before it; the file - is stdin.",
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return a.sealEnvelope(&f) },
	}
	flags, d := cmd.Flags(), &f.definition
	flags.StringVar(&f.out, "out", "", "write to this folder (`DIR`)")
	flags.StringVar(&d.Name, "name", "", "the envelope's display `NAME`")
	flags.StringVar(&d.UUID, "uuid", "", "the envelope's `UUID`; one with the same is replaced on the device")
	flags.StringVar(&d.Version, "version", "", "the envelope's `VERSION`, of your choice")
	flags.BoolVar(&d.Activate, "activate", false, "let applications see it; without, devices only store it")
	flags.StringArrayVar(&d.Apps, "app", nil, "`UUID` of an application instance that may see it; may stand several times")
	flags.StringVar(&f.created, "created", "", "creation `DATE` as in 2026-08-01T12:00:00Z; SOURCE_DATE_EPOCH or now by default")
	flags.Var(f.blobs.flag(inlineBlob, false), "file", "inline blob (`[NAME=]FILE`); may stand several times")
	flags.Var(f.blobs.flag(inlineBlob, true), "secret", "encrypted inline blob (`[NAME=]FILE`); may stand several times")
	flags.Var(f.blobs.flag(volumeBlob, false), "volume", "blob in a volume (`NAME=UUID[,IMAGE]`); may stand several times")
	flags.Var(f.blobs.flag(volumeBlob, true), "secret-volume", "blob in a volume, its reference encrypted (`NAME=UUID[,IMAGE]`)")
	flags.StringArrayVar(&f.fileMetadata, "metadata", nil, "metadata of a blob, encrypted with it (`NAME=TEXT`)")
	flags.StringArrayVar(&f.artifactMetadata, "artifact-metadata", nil, "artifact metadata of a blob, in the clear (`NAME=TEXT`)")
	flags.StringArrayVar(&f.encryptedOne, "secret-artifact-metadata", nil, "artifact metadata of a blob, encrypted on its own (`NAME=TEXT`)")
	flags.StringVar(&f.controllerKey, "controller-key", "", "the controller's private key (`FILE`)")
	flags.StringVar(&f.controllerCert, "controller-cert", "", "the controller's certificate (`FILE`)")
	flags.StringVar(&f.controllerHash, "controller-hash", "", "what the controller calls its certificate, in place of the computed hash (`HEX`)")
	flags.StringVar(&f.deviceCert, "device-cert", "", "the device's certificate (`FILE`)")
	flags.StringVar(&f.deviceHash, "device-hash", "", "what the device calls its certificate, in place of the computed hash (`HEX`)")
	return cmd
}

func (a *app) sealEnvelope(f *sealFlags) error {
	if err := f.complete(a); err != nil {
		return err
	}
	d := &f.definition
	if a.problems(envelope.CheckDefinitions("", []*envelope.Definition{d})) {
		return exitError(1)
	}
	sealer, err := f.sealer(a)
	if err != nil {
		return err
	}
	e, err := d.Seal(sealer)
	if err != nil {
		return err
	}
	out := map[string]proto.Message{"envelope": e}
	config := &evepb.EdgeDevConfig{PatchEnvelopes: []*evepb.EvePatchEnvelope{e}}
	if d.Encrypts() {
		out["context"] = sealer.Context()
		config.CipherContexts = []*evepb.CipherContext{sealer.Context()}
	}
	out["config"] = config
	if err := writeMessages(f.out, out); err != nil {
		return err
	}
	a.ui.printf("%s\n", safe(filepath.Join(f.out, "config.pb")))
	return nil
}

// complete turns the flags into a definition.
func (f *sealFlags) complete(a *app) error {
	for name, value := range map[string]string{"out": f.out, "name": f.definition.Name} {
		if value == "" {
			return &hintError{fmt.Errorf("envelope seal needs -%s", name), "flotobuild envelope seal -h lists the flags"}
		}
	}
	if f.definition.UUID == "" {
		return &hintError{errors.New("envelope seal needs -uuid"), "for a new envelope: -uuid=" + uuid.NewString()}
	}
	var err error
	if f.definition.Created, err = creationDate(f.created); err != nil {
		return err
	}
	if f.definition.Blobs, err = f.blobs.read(a.ui.in); err != nil {
		return err
	}
	return f.addMetadata()
}

// creationDate gives the envelope's date to the second.
func creationDate(text string) (time.Time, error) {
	if text != "" {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return t, &hintError{fmt.Errorf("-created=%q is no date", text), "write it as 2026-08-01T12:00:00Z"}
		}
		return t.UTC(), nil
	}
	epoch, err := sourceDateEpoch(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return time.Time{}, err
	}
	if epoch != nil {
		return *epoch, nil
	}
	return time.Now().UTC().Truncate(time.Second), nil
}

// sealer reads keys and certificates, or gives nil where nothing is encrypted.
func (f *sealFlags) sealer(a *app) (*envelope.Sealer, error) {
	if !f.definition.Encrypts() {
		return nil, nil
	}
	if f.controllerKey == "" || f.deviceCert == "" || f.controllerCert == "" && f.controllerHash == "" {
		return nil, &hintError{
			errors.New("encrypting takes -controller-key, -controller-cert and -device-cert"),
			"blobs of -file and -volume need none of them",
		}
	}
	var c envelope.Controller
	var d envelope.Device
	var err error
	if c.Key, err = a.privateKey(f.controllerKey); err != nil {
		return nil, err
	}
	if f.controllerCert != "" {
		if c.Certificate, err = readCertificate(f.controllerCert); err != nil {
			return nil, err
		}
	}
	if d.Certificate, err = readCertificate(f.deviceCert); err != nil {
		return nil, err
	}
	if !d.Certificate.Canonical() && f.deviceHash == "" {
		a.ui.warnf("%s: this is not the file as a device writes it, and the device may not know its hash; take the file from the device, or give -device-hash", f.deviceCert)
	}
	if c.Hash, err = hashFlag("controller-hash", f.controllerHash); err != nil {
		return nil, err
	}
	if d.Hash, err = hashFlag("device-hash", f.deviceHash); err != nil {
		return nil, err
	}
	return envelope.NewSealer(c, d)
}

func hashFlag(name, text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("-%s=%q is not hexadecimal", name, text)
	}
	return b, nil
}

// writeMessages writes messages as NAME.pb and NAME.json. All are complete
// before the first gets its name. A context of an earlier envelope that is not
// needed any more goes away.
func writeMessages(dir string, messages map[string]proto.Message) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("cannot write envelopes: %w", err)
	}
	staged := make(map[string]*atomicfile.File)
	for name, m := range messages {
		for ext, encode := range map[string]func(proto.Message) ([]byte, error){".pb": envelope.Marshal, ".json": envelope.MarshalJSON} {
			f, err := atomicfile.Create(dir, 0o666)
			if err != nil {
				return fmt.Errorf("cannot write envelopes: %w", err)
			}
			defer f.Abort()
			b, err := encode(m)
			if err != nil {
				return err
			}
			if _, err := f.Write(b); err != nil {
				return fmt.Errorf("cannot write envelopes: %w", err)
			}
			staged[filepath.Join(dir, name+ext)] = f
		}
	}
	for path, f := range staged {
		if err := f.Replace(path); err != nil {
			return err
		}
	}
	if messages["context"] == nil {
		os.Remove(filepath.Join(dir, "context.pb"))
		os.Remove(filepath.Join(dir, "context.json"))
	}
	return nil
}
