package site

import (
	"fmt"

	"github.com/opencontainers/go-digest"
)

// A DamagedError says that the store lacks blobs of a patch that it lists: they
// were lost, or set aside as damaged. Importing the patch again mends it.
type DamagedError struct {
	Patch   string
	Missing int // blobs
	First   digest.Digest
	Image   string // that needs the first
}

// Error names the first blob.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the store lacks %d blobs of patch %q, the first is %q of image %q: import the patch again", e.Missing, e.Patch, e.First, e.Image)
}
