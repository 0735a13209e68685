// Package facts gathers what planning needs to know: files, build contexts,
// Dockerfiles, image references, git and the parents of the sites. A
// [Workspace] implements planner.Facts.
//
// It stands below executor because Dockerfiles are read with BuildKit's own
// parser; it needs no build engine. It writes nothing but its cache.
//
// # Build contexts
//
// A context is what BuildKit would send: the folder less .dockerignore, with
// names, mode bits (07777), link targets and bytes, empty folders included.
// Times and owners are left out, as BuildKit's local source resets or ignores
// them. Pipes and devices are sent as such, and sockets as empty files. Names
// have to be UTF-8.
//
// # Digest cache
//
// The data folder's cache/digests keeps the digests of files by path, size,
// times, inode and mode, so that a plan of unchanged files reads none of them.
// As in git's index, a file changed less than two seconds before it was hashed
// is not kept: another change within the resolution of the file system's clock
// would not be seen. The cache is an aid only: where it is corrupt or cannot be
// written, files are read again.
//
// # Git
//
// A project is under git when the git binary finds a work tree that lists at
// least one of its files. Otherwise, or with no git binary, the project has no
// revision, and conf is the folder less hidden files. Before the first commit
// there is no revision either, but git still says which files are ignored.
// Untracked files that git does not ignore travel in conf, and so make the
// project dirty.
package facts
