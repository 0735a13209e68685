package envelope

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of devices.
const (
	// MaxInline is the most base64 text that an inline blob may have, in bytes.
	MaxInline = 10_240
	// MaxList is the most that all envelopes of a device may take as compact
	// protojson, in bytes.
	MaxList = 49_000
	// minCipher is the least cipher text: devices tell encrypted blobs apart by
	// their first 16 bytes.
	minCipher = 16
)

// maxInlineContent is MaxInline before base64.
const maxInlineContent = MaxInline / 4 * 3

// reservedPrefixes start the names that devices give to encrypted blobs in
// their cache.
var reservedPrefixes = []string{"encInline-", "encVolume-"}

// checkName finds what makes a name unusable.
func (c *check) checkName(name string, volume bool) {
	const remedy = " Choose another name."
	if name == "" {
		if volume {
			c.errorf("Volume without a file name", "The reference to a volume has no file name, and devices do not agree on one then. Give it an explicit name.")
		} else {
			c.errorf("Blob without a name", "Devices keep blobs as files and need a name for each. Give it one.")
		}
		return
	}
	why := ""
	switch {
	case name == "." || name == "..":
		why = "it names a folder on the device"
	case !utf8.ValidString(name):
		why = "it is not UTF-8"
	case strings.Contains(name, "/"):
		why = "it holds a slash, and devices keep blobs in one folder"
	case strings.ContainsFunc(name, unicode.IsControl):
		why = "it holds a control character"
	}
	for _, p := range reservedPrefixes {
		if strings.HasPrefix(name, p) {
			why = fmt.Sprintf("devices name encrypted blobs in their cache %s…", p)
		}
	}
	if why != "" {
		c.errorf("Invalid name of a blob", "The name %q cannot be used: %s.%s", name, why, remedy)
	}
	c.warnAboutName(name)
}

// warnAboutName finds names that work in files but not in URLs.
func (c *check) warnAboutName(name string) {
	if name == "index.html" {
		c.warnf("Name that devices redirect", `Devices answer a request for "index.html" with a redirect to the folder, so that applications cannot download the blob. Choose another name.`)
	}
	if strings.ContainsAny(name, " %?#") {
		c.warnf("Name that is no URL", "Devices do not escape the URLs of blobs, and the name %q holds a space, %%, ? or #: applications have to escape it themselves. Choose another name, or tell the application's developers.", name)
	}
}

// checkInline judges the base64 text of an inline blob.
func (c *check) checkInline(size int) {
	switch {
	case size == 0:
		c.errorf("Empty blob", "The blob has no content, which devices do not serve. Give it content, or leave it out.")
	case size > MaxInline:
		c.errorf("Inline blob too large", "The content has %d bytes as base64, and devices take %d (%d bytes before base64). Put it into a volume.", size, MaxInline, maxInlineContent)
	}
}

// checkCipherSize judges the length of clear text, which is that of the cipher
// text.
func (c *check) checkCipherSize(what string, size int) {
	if size < minCipher {
		c.errorf("Cipher text too short", "The %s gives %d bytes of cipher text, and devices need %d to tell blobs apart. Make the name or the content longer by %d bytes.", what, size, minCipher, minCipher-size)
	}
}

// checkArtifactMetadata warns about metadata that devices lose.
func (c *check) checkArtifactMetadata(encryptedBlob, clear, encrypted bool) {
	const instead = "Put it into the metadata of the file, which is encrypted together with the content (base64MetaData)."
	if clear && encryptedBlob {
		c.warnf("Artifact metadata that devices drop", "Devices drop artifactMetaData that stands in the clear on an encrypted blob. %s", instead)
	}
	if encrypted {
		c.warnf("Encrypted artifact metadata", "EVE up to 17.0 cannot read encrypted artifact metadata, and loses the whole blob with it. %s", instead)
	}
}
