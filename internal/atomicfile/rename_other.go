//go:build !linux

package atomicfile

import "os"

// renameNew gives from the name to unless to exists. The first name is removed
// by the caller.
func renameNew(from, to string) error { return os.Link(from, to) }
