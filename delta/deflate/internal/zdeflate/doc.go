// Package zdeflate is zlib's deflate in Go, for bytes that must come out
// exactly as a C program wrote them. It is an altered version of zlib's source,
// under zlib's licence; see the file LICENSE.
//
// What zlib writes is a function of the input, the level and the memory level
// alone, and has been the same in all of its versions since 1.2.
// GNU gzip descends from the same code. Its differences, found by comparing
// the outputs of the two programs, are parts of Config. Versions of zlib with
// other match finders (zlib-ng, those of Chromium, Cloudflare and Intel) write
// other bytes and are not reproduced.
package zdeflate
