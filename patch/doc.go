// Package patch reads, writes and checks patch files.
//
// A patch is one self-contained ZIP that installs or updates the containers of
// a site without a network. docs/patch-format.md is the norm for its bytes.
//
// # Format
//
// A [Description] at the start says what the patch is, what it needs and what
// it holds: every other entry with size, mode and SHA-256. A [Writer] streams
// entries behind it, in the order of [Compare], and the file appears under its
// name only when it is whole. A [Reader] gives random access; blobs are stored
// uncompressed in the ZIP and are read in place. [ReadHeader] needs only the
// first bytes of a file, and [List] does that for a folder.
//
// # Trust
//
// Opening a patch checks its structure, reading an entry checks its content,
// and [Verify] checks all there is, down to the last byte of the ZIP's own
// records. None of them says who made the patch.
//
// # Compatibility
//
// Readers ignore fields that they do not know and refuse a newer
// formatVersion. Patches of floto itself have no "flotobuild" section; they
// are refused, since nothing lists their contents; package legacy reads and
// converts them.
package patch
