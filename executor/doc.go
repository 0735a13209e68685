// Package executor carries out plans: it drives BuildKit, imports and fetches
// images, and writes patch files. It is the only user of BuildKit.
//
// # Promises
//
// Nothing is published before everything is made: all images of a plan are
// built first, then all patches are written beside their targets, then they get
// their names, one rename each. A failure leaves no new file in an output
// folder. Layers are streamed: a new layer leaves the engine once, whatever the
// number of sites that need it, and memory does not grow with its size.
//
// Outputs of envelopes and of volumes are written beside their places as well.
// Where patches get their names, these change places with the older ones, and
// what belongs to nothing goes: all of it or none of it, save where the process
// is killed meanwhile. Then each output is the old one or the new one.
//
// # Parents
//
// The images of a site's parent serve as build cache: their cache records
// travel in the patch, and their layers are offered to the engine, which reads
// them only where a step has to run on top of them.
package executor
