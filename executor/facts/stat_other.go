//go:build !linux

package facts

import "io/fs"

// stamped knows no times of inode changes here, so that files are always read.
func stamped(fs.FileInfo) (stamp, bool) { return stamp{}, false }
