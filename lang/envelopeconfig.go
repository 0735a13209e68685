package lang

import (
	"cmp"

	"github.com/hashicorp/hcl/v2"
)

// An Envelope is a patch envelope of EVE-OS, which is sealed for each of its
// devices.
type Envelope struct {
	Module   string // address of the module that declares it; empty for the project itself
	Name     string
	Label    string // the block's label, by which references write it; Name where empty
	Index    string // ["KEY"] of an instance under for_each, else empty
	UUID     string // lower case; made from the names of project and envelope where none is configured
	Version  string
	Activate bool     // applications see it; otherwise devices only store it
	Apps     []string // UUIDs of application instances, lower case

	Devices    []*Device   // sorted by name
	Controller *Controller // nil where there is none
	Blobs      []*Blob     // as they stand; instances sorted by key
	Range      hcl.Range
}

// Address is the envelope's unique name in the project: envelope.NAME, with
// ["KEY"] behind it under for_each and the modules' addresses in front.
func (e *Envelope) Address() string {
	addr := "envelope." + cmp.Or(e.Label, e.Name) + e.Index
	if e.Module != "" {
		return e.Module + "." + addr
	}
	return addr
}

// Encrypts tells whether anything of the envelope is encrypted.
func (e *Envelope) Encrypts() bool {
	for _, b := range e.Blobs {
		if b.EncryptContent || b.EncryptMetadata {
			return true
		}
	}
	return false
}

// A Device is the receiver of one sealed output.
type Device struct {
	Name        string
	Certificate *Path  // nil where there is none
	Hash        []byte // replaces that of the certificate; nil where it is computed
	Range       hcl.Range
}

// A Controller is the side that seals.
type Controller struct {
	Key         Path
	Certificate *Path  // nil where Hash stands for it
	Hash        []byte // replaces that of the certificate; nil where it is computed
	Range       hcl.Range
}

// A Blob is a file for applications.
type Blob struct {
	Name string
	// Content is a secret wherever it came from: nobody shows or records it. It
	// is nil where Source is set, or where others fill the volume.
	Content []byte
	// Sensitive says that Content came from a sensitive value.
	Sensitive       bool
	Source          *Path
	Image           *Image // which the volume is to hold, as an OCI archive
	Metadata        string
	EncryptContent  bool
	EncryptMetadata bool
	Volume          *Volume // nil for an inline blob
	Range           hcl.Range
}

// A Volume is where the bytes of a large blob lie on the device.
type Volume struct {
	ID    string // UUID, lower case
	Image string // name in the datastore
}
