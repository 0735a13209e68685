package planner

import (
	"path"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/envelope"
)

// EnvelopesDir is the folder of sealed envelopes in a project:
// ENVELOPE/DEVICE/… below it. It never travels in conf/.
const EnvelopesDir = "dist/envelopes"

// EnvelopeFolder is the folder of what is sealed for a device, relative to the
// project.
func EnvelopeFolder(envelope, device string) string { return path.Join(EnvelopesDir, envelope, device) }

// EnvelopeLimit bounds all envelopes of a device together, in bytes of JSON.
const EnvelopeLimit = envelope.MaxList

// Actions of envelopes on a device.
const (
	EnvelopeActivate = "activate"
	EnvelopeStore    = "store"
)

// An Envelope is a patch envelope of EVE-OS with pinned inputs. It holds nothing
// of what its blobs hold.
type Envelope struct {
	Address string `json:"address"`
	// Size is what the envelope takes in a device's list of them, in bytes of
	// JSON, and at most; EnvelopeLimit bounds the list.
	Size       int                 `json:"size"`
	Name       string              `json:"name"`
	UUID       string              `json:"uuid"`
	Version    string              `json:"version,omitempty"`
	Action     string              `json:"action"`
	Apps       []string            `json:"allowedApps,omitempty"`
	Blobs      []EnvelopeBlob      `json:"blobs"`
	Controller *EnvelopeController `json:"controller,omitempty"` // nil where nothing is encrypted
	Devices    []EnvelopeDevice    `json:"devices"`              // sorted by name
	// Key tells digest keys apart, and nothing of them: see BlobDigest.
	Key string `json:"digestKey"`
}

// Encrypts tells whether anything of the envelope is encrypted.
func (e *Envelope) Encrypts() bool {
	for _, b := range e.Blobs {
		if len(b.Encrypt) > 0 {
			return true
		}
	}
	return false
}

// An EnvelopeBlob is a file for applications.
type EnvelopeBlob struct {
	Name   string `json:"name"`
	Source string `json:"source,omitempty"` // relative to the project; empty where the configuration has the content
	Image  string `json:"image,omitempty"`  // address of the image that the volume is to hold
	Size   int64  `json:"size"`             // bytes of content; 0 where others fill the volume, or an image does
	// Sensitive says that content which came from a sensitive value is not
	// encrypted: outputs are for their owner alone then.
	Sensitive bool `json:"sensitive,omitempty"`
	// Digest covers content, metadata and everything else of the blob under the
	// project's digest key, so that it tells a change and not what has changed.
	Digest  string          `json:"digest"`
	Encrypt []string        `json:"encrypt,omitempty"` // content, metadata
	Volume  *EnvelopeVolume `json:"volume,omitempty"`
}

// An EnvelopeVolume is where the bytes of a large blob lie on the device.
type EnvelopeVolume struct {
	ID    string `json:"imageId"`
	Image string `json:"imageName,omitempty"`
}

// An EnvelopeController is the side that seals. Digest covers its public key
// and what devices call its certificate.
type EnvelopeController struct {
	Key         string        `json:"key"` // file, relative to the project
	Certificate string        `json:"certificate,omitempty"`
	Hash        string        `json:"hash,omitempty"` // explicit, hexadecimal
	Digest      digest.Digest `json:"digest"`
}

// An EnvelopeDevice is the receiver of one sealed output. Certificate, Hash and
// Digest are empty where nothing is encrypted.
type EnvelopeDevice struct {
	Name        string        `json:"name"`
	Certificate string        `json:"certificate,omitempty"` // file, relative to the project
	Hash        string        `json:"hash,omitempty"`        // explicit, hexadecimal
	Digest      digest.Digest `json:"digest,omitempty"`

	last   *Sealed // what was sealed last; nil where there is none
	intact bool    // last and its files are as they were written
	from   string  // where last is no output of the project: the patch that carries it
}

// Exposed tells whether sensitive content stands in the envelope in the clear.
func (e *Envelope) Exposed() bool {
	return slices.ContainsFunc(e.Blobs, func(b EnvelopeBlob) bool { return b.Sensitive })
}

// An EnvelopePlan says what apply does for an envelope.
type EnvelopePlan struct {
	Envelope
	Changes []DeviceChange `json:"deviceChanges"` // as Devices
}

// A DeviceChange compares the output of a device with what was sealed last.
type DeviceChange struct {
	Device string `json:"device"`
	// Change is create, update, or none where the output keeps its bytes.
	Change  string   `json:"change"`
	Reasons []Reason `json:"reasons,omitempty"` // of an update, sorted
	Files   []File   `json:"files,omitempty"`   // of an output that keeps its bytes
	// From is the id of the parent whose patch an output is taken from that keeps
	// its bytes; empty where the project has it.
	From string `json:"from,omitempty"`
}

// Inputs of reasons why an envelope is sealed again, besides its attributes. A
// blob is "blob:" and its name.
const (
	InputBlob        = "blob:"
	InputCertificate = "certificate" // the device's
	InputController  = "controller"  // its key, or its certificate
	InputDigestKey   = "digest-key"  // what was sealed last cannot be compared: the project's digest key is another
	InputOutput      = "output"      // files of the output are missing or were changed
)

// Sealed tells whether apply seals anything of the envelope.
func (e *EnvelopePlan) Sealed() bool { return e.Count(ChangeCreate)+e.Count(ChangeUpdate) > 0 }

// Count gives the number of devices with a change.
func (e *EnvelopePlan) Count(change string) int {
	n := 0
	for _, c := range e.Changes {
		if c.Change == change {
			n++
		}
	}
	return n
}
