// Package atomicfile writes files that appear whole or not at all.
//
// A [File] is written under a temporary name and gets its real one only when
// it is complete and on the disk: fsync, rename, fsync of the folder. After a
// failure, a kill or a full disk the old file stands as it was, or none does.
//
// # Stale files
//
// A killed process leaves its temporary file. Their names start with [Prefix],
// and their writers hold a lock on them, so that [Sweep] removes those of dead
// writers only. On file systems without locks Sweep removes nothing.
package atomicfile
