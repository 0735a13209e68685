// Package image carries an image as what changed against another one: two
// images in, of any number of layers, shared or not; one file out; and from it
// and the first image the second again, with the same id.
//
// [Open] reads images from OCI layouts (folders and tars), docker archives and
// bare tars. [Create] makes the delta, [Read] opens one, and [Delta.Apply]
// writes the image. Layers are told apart by diff id: those that the old image
// has travel as their id alone, others as deltas of package delta against all
// old layers, or packed whole where that is smaller.
//
// # Promises
//
// The image id, the digest of the config, is always that of the new image; all
// layers are checked against their diff ids. The manifest's digest is the same
// too where the layers' compression can be made again or is none; [Policy] says
// what happens otherwise. Equal images, options and versions of this package
// give equal deltas. Memory is that of package delta; layers that are
// compressed are unpacked to a folder on the disk.
//
// # Format
//
// docs/delta-format.md is the norm: a tar of an OCI image layout with one
// artifact, which registries take as it is. The target image is its subject.
package image
