// Package recipe makes the blob of a layer again from its tar, bit for bit, so
// that the digest in the image's manifest holds although only the tar's changes
// travelled.
//
// # Format
//
// No bytes: the blob is the tar. Else the first byte says what follows:
//
//	1  a recipe of package deflate, which begins with it
//	2  zstd: encoder, level, binary logarithm of the window, check sum (0, 1)
//
// Encoder 1 is the zstd of klauspost/compress, streamed, in the version of
// go.mod; levels are its own, 1 to 4.
//
// # Compatibility
//
// Golden hashes hold the encoders. When one fails after an update, the new
// version gets a new number, and recipes with the old one are [ErrEncoder].
package recipe
