// Package goflate is the encoder of Go's compress/flate as it was in Go 1.19 to
// 1.26, unchanged but for its name and without what reads. Layers made by Go
// programs are made again with it, on any later version of Go: the standard
// library promises valid output, not the same. The files are kept as they are
// there, so that a comparison with their origin shows nothing; the licence is
// in the file LICENSE.
package goflate
