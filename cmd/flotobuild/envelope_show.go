package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/envelope/evepb"
)

func newEnvelopeShowCommand(a *app) *cobra.Command {
	var f openFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show FILE...",
		Short: "Show what envelopes hold",
		Long: "show prints the structure of envelopes, sizes and hashes. Names and metadata within encrypted\n" +
			"blobs show with -key and -peer only. Content never shows: open writes it.",
		Args: envelopeFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			config, err := f.read(args)
			if err != nil {
				return err
			}
			opener, err := f.openerFor(a, config)
			if err != nil {
				return err
			}
			s, err := shownConfig(config, opener)
			if err != nil {
				return err
			}
			if !asJSON {
				a.ui.printf("%s", safe(s.text()))
				return nil
			}
			b, err := json.MarshalIndent(s, "", "  ")
			if err != nil {
				return err
			}
			a.ui.printJSON(b)
			return nil
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// A shown is what envelope show prints.
type shown struct {
	FormatVersion int             `json:"formatVersion"`
	Envelopes     []shownEnvelope `json:"envelopes"`
	Contexts      []shownContext  `json:"contexts"`
}

type shownEnvelope struct {
	Name    string      `json:"name"`
	UUID    string      `json:"uuid"`
	Version string      `json:"version,omitempty"`
	Action  string      `json:"action"`
	Created string      `json:"created,omitempty"`
	Apps    []string    `json:"apps"`
	Blobs   []shownBlob `json:"blobs"`
}

type shownBlob struct {
	Kind             string       `json:"kind"`
	Name             string       `json:"name,omitempty"`
	Size             int          `json:"size,omitempty"` // of the base64 text, in bytes
	SHA256           string       `json:"sha256,omitempty"`
	Volume           string       `json:"volume,omitempty"`
	Image            string       `json:"image,omitempty"`
	Metadata         string       `json:"metadata,omitempty"`
	ArtifactMetadata string       `json:"artifactMetadata,omitempty"`
	Encrypted        *shownCipher `json:"encrypted,omitempty"`
	MetadataCipher   *shownCipher `json:"encryptedArtifactMetadata,omitempty"`
}

type shownCipher struct {
	Context         string `json:"context"`
	Size            int    `json:"size"`
	InitialValue    string `json:"initialValue"`
	ClearTextSHA256 string `json:"clearTextSha256"`
}

type shownContext struct {
	ID             string `json:"id"`
	HashScheme     string `json:"hashScheme"`
	DeviceCert     string `json:"deviceCertHash"`
	ControllerCert string `json:"controllerCertHash"`
}

func shownConfig(config *evepb.EdgeDevConfig, opener *envelope.Opener) (*shown, error) {
	s := &shown{FormatVersion: 1, Envelopes: []shownEnvelope{}, Contexts: []shownContext{}}
	for _, e := range config.GetPatchEnvelopes() {
		x := shownEnvelope{Name: e.GetDisplayName(), UUID: e.GetUuid(), Version: e.GetVersion(), Action: e.GetAction().String(), Apps: e.GetAppInstIdsAllowed()}
		if t := e.GetCreateTime(); t != nil {
			x.Created = t.AsTime().Format(time.RFC3339)
		}
		for n, artifact := range e.GetArtifacts() {
			b, err := showBlob(artifact, opener)
			if err != nil {
				return nil, fmt.Errorf("blob %d of envelope %q: %w", n+1, e.GetDisplayName(), err)
			}
			x.Blobs = append(x.Blobs, *b)
		}
		s.Envelopes = append(s.Envelopes, x)
	}
	for _, c := range config.GetCipherContexts() {
		s.Contexts = append(s.Contexts, shownContext{c.GetContextId(), c.GetHashScheme().String(), hex.EncodeToString(c.GetDeviceCertHash()), hex.EncodeToString(c.GetControllerCertHash())})
	}
	return s, nil
}

func showBlob(a *evepb.EveBinaryArtifact, opener *envelope.Opener) (*shownBlob, error) {
	b := &shownBlob{Kind: "empty", ArtifactMetadata: a.GetArtifactMetaData()}
	inline, volume := a.GetInline(), a.GetVolumeRef()
	var err error
	if x := a.GetEncryptedInline(); x != nil {
		b.Kind, b.Encrypted = "inline", showCipher(x.GetCipherData())
		if opener != nil {
			inline, err = opener.Inline(x)
		}
	}
	if x := a.GetEncryptedVolumeref(); x != nil {
		b.Kind, b.Encrypted = "volume", showCipher(x.GetCipherData())
		if opener != nil {
			volume, err = opener.Volume(x)
		}
	}
	if err != nil {
		return nil, err
	}
	if inline != nil {
		sum := sha256.Sum256([]byte(inline.GetBase64Data()))
		b.Kind, b.Name, b.Metadata = "inline", inline.GetFileNameToUse(), inline.GetBase64MetaData()
		b.Size, b.SHA256 = len(inline.GetBase64Data()), hex.EncodeToString(sum[:])
	}
	if volume != nil {
		b.Kind, b.Name, b.Metadata = "volume", volume.GetFileNameToUse(), volume.GetBlobMetaData()
		b.Volume, b.Image = volume.GetImageId(), volume.GetImageName()
	}
	if x := a.GetMetadataCipherData(); x != nil {
		b.MetadataCipher = showCipher(x)
		if opener != nil {
			b.ArtifactMetadata, err = opener.Metadata(x)
		}
	}
	return b, err
}

func showCipher(b *evepb.CipherBlock) *shownCipher {
	return &shownCipher{b.GetCipherContextId(), len(b.GetCipherData()), hex.EncodeToString(b.GetInitialValue()), hex.EncodeToString(b.GetClearTextSha256())}
}

// text renders it for people.
func (s *shown) text() string {
	var b strings.Builder
	for _, e := range s.Envelopes {
		fmt.Fprintf(&b, "envelope %q\n", e.Name)
		line(&b, "  uuid", e.UUID)
		line(&b, "  version", e.Version)
		line(&b, "  action", e.Action)
		line(&b, "  created", e.Created)
		for _, app := range e.Apps {
			line(&b, "  app", app)
		}
		for _, blob := range e.Blobs {
			blob.render(&b)
		}
	}
	for _, c := range s.Contexts {
		fmt.Fprintf(&b, "context %s\n", c.ID)
		line(&b, "  device", c.DeviceCert)
		line(&b, "  controller", c.ControllerCert)
	}
	return b.String()
}

func (x *shownBlob) render(b *strings.Builder) {
	kind := x.Kind
	if x.Encrypted != nil {
		kind = "encrypted " + kind
	}
	fmt.Fprintf(b, "  %s blob", kind)
	if x.Name != "" {
		fmt.Fprintf(b, " %q", x.Name)
	}
	b.WriteByte('\n')
	if x.SHA256 != "" {
		line(b, "    size", fmt.Sprintf("%d bytes of base64", x.Size))
		line(b, "    sha256", x.SHA256)
	}
	line(b, "    volume", x.Volume)
	line(b, "    image", x.Image)
	line(b, "    metadata", x.Metadata)
	line(b, "    artifact metadata", x.ArtifactMetadata)
	x.Encrypted.render(b, "    ")
	if x.MetadataCipher != nil {
		b.WriteString("    encrypted artifact metadata\n")
		x.MetadataCipher.render(b, "      ")
	}
}

func (c *shownCipher) render(b *strings.Builder, indent string) {
	if c == nil {
		return
	}
	line(b, indent+"cipher text", fmt.Sprintf("%d bytes", c.Size))
	line(b, indent+"context", c.Context)
	line(b, indent+"initial value", c.InitialValue)
	line(b, indent+"clear text sha256", c.ClearTextSHA256)
}

// line writes a name with its value, where it has one.
func line(b *strings.Builder, name, value string) {
	if value != "" {
		fmt.Fprintf(b, "%s: %s\n", name, value)
	}
}
