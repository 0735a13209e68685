//go:build !linux

package atomicfile

import "os"

// flushBehind does nothing: other systems have no such hint.
func flushBehind(*os.File, int64, int64) {}

// renameNew gives from the name to unless to exists. The first name is removed
// by the caller.
func renameNew(from, to string) error { return os.Link(from, to) }
