// Package relate works on several patch files at once: it writes a release for
// other parents from what the files at hand hold, takes files and images out of
// patches, and compares contents.
//
// Blobs are read in place, from whichever patch or image layout has them, and
// checked against their digests on the way. Files and folders appear whole or
// not at all, and nothing that is there already is replaced.
package relate
