//go:build !linux

package atomicfile

import "os"

// copyRange copies n bytes to the place of Write.
func copyRange(dst, src *os.File, offset, n int64) (int64, error) {
	return copyThrough(dst, src, offset, n)
}
