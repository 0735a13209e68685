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
// # Parents
//
// The images of a site's parent serve as build cache: their cache records
// travel in the patch, and their layers are offered to the engine, which reads
// them only where a step has to run on top of them.
package executor
