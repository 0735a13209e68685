// Package volume splits a file into volumes for media of a fixed size, joins
// them, and reads the file out of its volumes in place.
//
// A set of volumes has K data volumes, whose payloads follow each other in the
// file, and M parity volumes. Any K of the K+M restore the file.
//
// # Format
//
// docs/patch-format.md is the norm. A volume is a piece of the file (or of
// parity) from offset 0, then the [Index], then a line of fixed length, the
// footer, that says which volume this is and where the index begins. All
// volumes of a set have the same index, byte for byte; its digest is the
// identity of the set. Names of files are for people: a volume is recognized
// by what it holds, and by its name only where its end is damaged.
//
// # Limits
//
// 999 data volumes; with parity 256 volumes in all, as many as Reed–Solomon
// over GF(2⁸) has. Memory does not grow with the file.
package volume
