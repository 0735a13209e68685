// Package layers gives the layers of patch files however they travel: whole, or
// as deltas against layers of other patches, which may be deltas themselves.
//
// A [Source] gives tars by diff id, as bases for deltas, and blobs of layers of
// which only a delta is at hand. What has to be unpacked or made stands in files
// without names in a folder, which end with the process whatever ends that; all
// of it has been compared with its digest before it is handed out.
package layers
