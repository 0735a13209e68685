package envelope

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// A check collects the problems of one device's envelopes.
type check struct {
	problems []Problem
	at       Problem // where the check is
	names    map[string]string
	uuids    map[string]string
}

func newCheck(device string) *check {
	c := &check{at: Problem{Device: device}, names: make(map[string]string), uuids: make(map[string]string)}
	c.leave()
	return c
}

// CheckDefinitions judges all envelopes of one device before they are sealed,
// with everything that a device would refuse or lose.
func CheckDefinitions(device string, definitions []*Definition) []Problem {
	c := newCheck(device)
	config := new(evepb.EdgeDevConfig)
	for n, d := range definitions {
		c.enter(n, d.Name)
		c.definition(d)
		e, err := d.message(draft)
		if err != nil {
			if !HasErrors(c.problems) {
				c.errorf("Envelope that cannot be encoded", "The envelope cannot be encoded: %v.", err)
			}
			continue
		}
		config.PatchEnvelopes = append(config.PatchEnvelopes, e)
	}
	c.leave()
	c.checkList(config)
	return c.problems
}

// definition checks one envelope.
func (c *check) definition(d *Definition) {
	c.checkUTF8("name", d.Name)
	c.checkUTF8("version", d.Version)
	c.checkEnvelopeUUID(strings.ToLower(d.UUID))
	for _, app := range d.Apps {
		c.checkApp(strings.ToLower(app))
	}
	c.checkApps(len(d.Apps))
	for n := range d.Blobs {
		b := &d.Blobs[n]
		c.enterBlob(n, b.Name)
		c.blob(b)
	}
	c.leaveBlob()
}

// blob checks one blob.
func (c *check) blob(b *Blob) {
	c.checkName(b.Name, b.Volume != nil)
	c.checkTwice(b.Name)
	c.checkUTF8("metadata", b.Metadata)
	c.checkUTF8("artifact metadata", b.ArtifactMetadata)
	size := 0
	if b.Volume != nil {
		c.checkUUID("volume", strings.ToLower(b.Volume.ID))
		c.checkUTF8("image name", b.Volume.Image)
		size = messageSize(b.externalMessage())
	} else {
		m := b.inlineMessage()
		c.checkInline(len(m.GetBase64Data()))
		size = messageSize(m)
	}
	if b.Encrypt {
		c.checkCipherSize("blob", size)
	}
	if b.encryptsMetadata() {
		c.checkCipherSize("artifact metadata", messageSize(&evepb.EncryptionBlock{User: 1, EncryptedData: b.ArtifactMetadata}))
	}
	c.checkArtifactMetadata(b.Encrypt, b.ArtifactMetadata != "" && !b.EncryptMetadata, b.encryptsMetadata())
}

func (c *check) enter(n int, name string) {
	c.at.Envelope, c.at.EnvelopeIndex = name, n
	c.leaveBlob()
}

func (c *check) enterBlob(n int, name string) { c.at.Blob, c.at.BlobIndex = name, n }

func (c *check) leave() {
	c.at.Envelope, c.at.EnvelopeIndex = "", -1
	c.leaveBlob()
}

func (c *check) leaveBlob() { c.at.Blob, c.at.BlobIndex = "", -1 }

func (c *check) errorf(summary, format string, args ...any) { c.add(Error, summary, format, args) }
func (c *check) warnf(summary, format string, args ...any)  { c.add(Warning, summary, format, args) }

func (c *check) add(s Severity, summary, format string, args []any) {
	p := c.at
	p.Severity, p.Summary, p.Detail = s, summary, fmt.Sprintf(format, args...)
	c.problems = append(c.problems, p)
}

// checkTwice refuses a name that stands twice on a device. An empty one has its
// own problem.
func (c *check) checkTwice(name string) {
	if name == "" {
		return
	}
	if first, ok := c.names[name]; ok {
		c.errorf("Name twice on one device", "The name %q stands in envelope %q already. Devices keep the blobs of all envelopes by name, so that one would replace the other. Choose another name.", name, first)
		return
	}
	c.names[name] = c.at.Envelope
}

// checkUUID wants the canonical form, since devices compare text.
func (c *check) checkUUID(what, text string) bool {
	id, err := uuid.Parse(text)
	switch {
	case err != nil || len(text) != len(id.String()):
		c.errorf("Invalid UUID", "%q is no UUID of %s. Give one such as 2d4f1c5e-8a0b-4f3d-9c61-0b7e5a3d1f24.", text, article(what))
	case id.String() != text:
		c.errorf("UUID in capitals", "The UUID %q of %s is not in lower case. Devices compare UUIDs letter by letter. Write %q.", text, article(what), id)
	default:
		return true
	}
	return false
}

func article(what string) string {
	if strings.HasPrefix(what, "e") || strings.HasPrefix(what, "a") {
		return "an " + what
	}
	return "a " + what
}

func (c *check) checkEnvelopeUUID(text string) {
	if !c.checkUUID("envelope", text) {
		return
	}
	if first, ok := c.uuids[text]; ok {
		c.errorf("UUID twice on one device", "The envelope %q has the UUID %s, too, and one would replace the other. Give each its own.", first, text)
		return
	}
	c.uuids[text] = c.at.Envelope
}

func (c *check) checkApp(text string) { c.checkUUID("application", text) }

func (c *check) checkApps(n int) {
	if n == 0 {
		c.warnf("No application may see the envelope", "The envelope names no application instance, so that devices show it to none. Name those that need it.")
	}
}

func (c *check) checkUTF8(what, text string) {
	if strings.ToValidUTF8(text, "") != text {
		c.errorf("Text that is not UTF-8", "The %s is not UTF-8, which messages of EVE have to be. Write it as UTF-8 or base64.", what)
	}
}

// checkList judges the size of all envelopes of a device together.
func (c *check) checkList(config *evepb.EdgeDevConfig) {
	size, err := listSize(config)
	if err == nil && size > MaxList {
		c.errorf("Too much in the device's envelopes", "All envelopes of the device take %d bytes as JSON, and it reads %d. Put larger content into volumes, or remove envelopes that are no longer needed.", size, MaxList)
	}
}
