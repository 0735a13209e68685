// Package delta carries a layer as what changed against layers that the other
// side has.
//
// [Create] makes a delta of an uncompressed layer, the target, and any number
// of bases; [Apply] makes the target again, byte for byte, from the delta and
// the bases that its [Header] names; [Inspect] reads that header alone. All
// bases together serve every file of the target: it does not matter in which
// layer a file was before. Any bytes may be a target or a base; those that are
// tars give small deltas.
//
// # Use
//
//	info, err := delta.Create(ctx, w, target, bases, delta.Options{})
//	if err != nil || info.Size >= whole {
//		// carry the layer whole
//	}
//
//	h, err := delta.Apply(ctx, r, store.OpenDiffID, w, delta.ApplyOptions{})
//
// A target is complete when Apply returns no error; before, what was written
// must not be seen by others.
//
// # Promises
//
// A delta is applied and compared before it leaves Create. Equal input gives
// equal bytes, however many goroutines work. Memory is bounded: for Create by
// [Options], for Apply by 128 MiB, however large layers are. Damaged and hostile
// deltas are refused with [ErrMalformed], wrong bases with [ErrWrongBase].
//
// # Format
//
// docs/delta-format.md is the norm: a header, and blocks that need the bases
// and no other block, each with a digest. Subpackages have the parts: tarmap
// finds entries and changes headers, match finds what is alike, project predicts
// executables, deflate makes compressed bytes again, pack makes streams small.
package delta
