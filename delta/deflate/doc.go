// Package deflate makes compressed bytes again from what they hold, bit for
// bit. Deflate has many encodings of the same content, and a digest is that of
// one of them; so Identify and IdentifyLayer look for the program and the level
// that wrote them, and the Recipe that they return says both.
//
// A recipe is returned only after its bytes were made and compared: it is right,
// or there is none. Encode needs nothing but the recipe and the content.
//
// # Encoders
//
// zlib (all versions since 1.2, with it Python, Perl, Java and curl), GNU gzip,
// pigz, Go's compress/flate of Go 1.19 to 1.26, the deflate and zstd of
// klauspost/compress in the version of go.mod, and with it klauspost/pgzip. Not reproduced: zlib's relatives
// with other match finders (zlib-ng, Cloudflare's, Intel's), zopfli, 7-Zip,
// libdeflate, the zstd program, and streams that were flushed within.
//
// # Format
//
// A recipe is the byte 1, the number of its parts, and the parts. Numbers are
// unsigned varints as those of encoding/binary. A part is a byte for its kind,
// and:
//
//	0  literal       length, bytes: written as they are
//	1  copy          length: so much of the content, as it is
//	2  stream        encoder, level, memory level, length: so much of the
//	                 content, as a deflate stream or a zstd frame
//	3  gzip trailer  nothing: CRC-32 and length of the stream before
//
// Parts follow each other in the compressed bytes; what they take of the
// content is all of it, in order. Encoders are numbers of the table in
// method.go, and are never used again for another output.
//
// # Compatibility
//
// Golden hashes hold every encoder. Those in internal are frozen. Those of
// klauspost/compress change with its version: when a hash fails after an
// update, the new version gets a new number, and recipes with the old one end
// in ErrEncoder, so that a receiver takes the way that it has for layers
// without a recipe.
package deflate
