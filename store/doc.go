// Package store keeps blobs by digest in a folder that is an OCI image layout,
// which any OCI tool reads, and makes and reads image manifests and configs.
//
// Blobs appear whole or not at all, and a blob that is there already is not
// written again. Any number of goroutines and processes may use one store at
// the same time. Reading does not check; [Store.Check] and [ReadBlob] do, and
// set a damaged blob aside as *.corrupt, so that the next Put writes a good
// one.
package store
