package envelope

import (
	"encoding/base64"
	"encoding/hex"

	"google.golang.org/protobuf/proto"

	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// A Report is what Check found.
type Report struct {
	Problems []Problem
	// Sealed counts encrypted blobs and metadata that were not looked into,
	// because no key was given.
	Sealed int
}

// Check judges the envelopes of a device's configuration, whoever made them.
// Without an opener, names and sizes within encrypted blobs stay unknown.
func Check(device string, config *evepb.EdgeDevConfig, o *Opener) *Report {
	c := &configCheck{check: newCheck(device), opener: o, contexts: make(map[string]*evepb.CipherContext), starts: make(map[string]string), values: make(map[string]string)}
	c.checkContexts(config.GetCipherContexts())
	for n, e := range config.GetPatchEnvelopes() {
		c.enter(n, nameOf(e))
		c.envelope(e)
	}
	c.leave()
	c.checkList(config)
	return &Report{Problems: c.problems, Sealed: c.sealed}
}

func nameOf(e *evepb.EvePatchEnvelope) string {
	if e.GetDisplayName() != "" {
		return e.GetDisplayName()
	}
	return e.GetUuid()
}

type configCheck struct {
	*check
	opener   *Opener
	contexts map[string]*evepb.CipherContext
	starts   map[string]string // first bytes of cipher text → where they stand
	values   map[string]string // initial values → where they stand
	sealed   int
}

func (c *configCheck) checkContexts(contexts []*evepb.CipherContext) {
	for _, x := range contexts {
		id := x.GetContextId()
		if first, ok := c.contexts[id]; ok && !proto.Equal(first, x) {
			c.errorf("Context twice", "The cipher context %q stands twice, and the two differ. Remove the one that does not belong to the device.", id)
		}
		c.contexts[id] = x
		if err := checkContext(x); err != nil {
			c.errorf("Unusable cipher context", "Devices cannot use a context: %v. Seal the envelopes again.", err)
		}
	}
}

func (c *configCheck) envelope(e *evepb.EvePatchEnvelope) {
	c.checkEnvelopeUUID(e.GetUuid())
	for _, app := range e.GetAppInstIdsAllowed() {
		c.checkApp(app)
	}
	c.checkApps(len(e.GetAppInstIdsAllowed()))
	for n, a := range e.GetArtifacts() {
		c.enterBlob(n, clearName(a))
		c.artifact(a)
	}
	c.leaveBlob()
}

// clearName gives a blob's name as far as it is not encrypted.
func clearName(a *evepb.EveBinaryArtifact) string {
	if m := a.GetInline(); m != nil {
		return m.GetFileNameToUse()
	}
	return a.GetVolumeRef().GetFileNameToUse()
}

func (c *configCheck) artifact(a *evepb.EveBinaryArtifact) {
	encrypted := false
	want := evepb.EVE_OPAQUE_OBJECT_CATEGORY_BASE64
	switch b := a.GetBinaryBlob().(type) {
	case *evepb.EveBinaryArtifact_Inline:
		c.inline(b.Inline)
	case *evepb.EveBinaryArtifact_VolumeRef:
		want = evepb.EVE_OPAQUE_OBJECT_CATEGORY_BINARYBLOB
		c.volume(b.VolumeRef)
	case *evepb.EveBinaryArtifact_EncryptedInline:
		encrypted = true
		c.encryptedInline(b.EncryptedInline)
	case *evepb.EveBinaryArtifact_EncryptedVolumeref:
		encrypted, want = true, evepb.EVE_OPAQUE_OBJECT_CATEGORY_BINARYBLOB
		c.encryptedVolume(b.EncryptedVolumeref)
	default:
		c.errorf("Blob without content", "The artifact is neither an inline blob nor a volume. Devices give up reading all envelopes there. Remove it.")
		return
	}
	c.checkFormat(a.GetFormat(), want)
	if b := a.GetMetadataCipherData(); b != nil && c.block(b, "artifact metadata") && c.opener != nil {
		if _, err := c.opener.Metadata(b); err != nil {
			c.errorf("Encrypted data that cannot be opened", "The artifact metadata does not open: %v.", err)
		}
	}
	c.checkArtifactMetadata(encrypted, a.GetArtifactMetaData() != "", a.GetMetadataCipherData() != nil)
}

func (c *configCheck) checkFormat(got, want evepb.EVE_OPAQUE_OBJECT_CATEGORY) {
	switch got {
	case want:
	case evepb.EVE_OPAQUE_OBJECT_CATEGORY_SECRET:
		c.errorf("Invalid format", "The format SECRET is not allowed in patch envelopes. Write %v.", want)
	default:
		c.warnf("Unexpected format", "The format is %v, and %v is meant for such blobs. Write that.", got, want)
	}
}

func (c *configCheck) inline(m *evepb.InlineOpaqueBase64Data) {
	c.checkName(m.GetFileNameToUse(), false)
	c.checkTwice(m.GetFileNameToUse())
	c.checkInline(len(m.GetBase64Data()))
	if _, err := base64.StdEncoding.DecodeString(m.GetBase64Data()); err != nil {
		c.warnf("Content that is not base64", "Devices hand the text to applications as it is, and it is not base64. Encode the content.")
	}
}

func (c *configCheck) volume(m *evepb.ExternalOpaqueBinaryBlob) {
	c.checkName(m.GetFileNameToUse(), true)
	c.checkTwice(m.GetFileNameToUse())
	c.checkUUID("volume", m.GetImageId())
}

func (c *configCheck) encryptedInline(e *evepb.EncryptedInlineOpaqueBase64Data) {
	if !c.block(e.GetCipherData(), "blob") || c.opener == nil {
		return
	}
	m, err := c.opener.Inline(e)
	if err != nil {
		c.errorf("Encrypted data that cannot be opened", "The blob does not open: %v.", err)
		return
	}
	c.at.Blob = m.GetFileNameToUse()
	c.inline(m)
}

func (c *configCheck) encryptedVolume(e *evepb.EncryptedExternalOpaqueBinaryBlob) {
	if !c.block(e.GetCipherData(), "blob") || c.opener == nil {
		return
	}
	m, err := c.opener.Volume(e)
	if err != nil {
		c.errorf("Encrypted data that cannot be opened", "The reference to a volume does not open: %v.", err)
		return
	}
	c.at.Blob = m.GetFileNameToUse()
	c.volume(m)
}

// block checks what shows of a block without a key, and tells whether opening
// it makes sense.
func (c *configCheck) block(b *evepb.CipherBlock, what string) bool {
	if c.opener == nil {
		c.sealed++
	}
	ok := true
	if c.contexts[b.GetCipherContextId()] == nil {
		c.errorf("Missing cipher context", "The %s is encrypted for the context %q, which the configuration does not have. Give the file with the context, or seal the envelope again.", what, b.GetCipherContextId())
		ok = false
	}
	if len(b.GetCipherData()) < minCipher {
		c.checkCipherSize(what, len(b.GetCipherData()))
		ok = false
	} else if err := checkBlock(b); err != nil {
		c.errorf("Malformed cipher block", "The %s cannot be decrypted: %v. Devices fail on it; seal the envelope again.", what, err)
		ok = false
	}
	if ok {
		c.repeated(b)
	}
	return ok
}

// repeated finds blocks that overwrite each other on a device.
func (c *configCheck) repeated(b *evepb.CipherBlock) {
	here := c.at.Where()
	start, value := hex.EncodeToString(b.GetCipherData()[:minCipher]), hex.EncodeToString(b.GetInitialValue())
	if first, ok := c.starts[start]; ok {
		c.errorf("Cipher texts that begin alike", "The first 16 bytes of the cipher text are those of a block in %q. Devices keep encrypted blobs by them, so that one replaces the other. Seal the envelope again.", first)
	} else if first, ok := c.values[value]; ok {
		c.errorf("Initial value used twice", "The initial value is that of a block in %q, which tells others what the two have in common. Seal the envelope again.", first)
	}
	c.starts[start], c.values[value] = here, here
}
