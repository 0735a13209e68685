// Package registry keeps deltas of images in OCI registries: as artifacts whose
// subject is the image that they make. Who has an old image asks for the new
// one's deltas, by the referrers of the distribution specification or the tag
// that stands for them in older registries, and takes one that fits.
//
// Credentials are those that docker login stored. Loopback and private addresses
// may speak plain http.
package registry
