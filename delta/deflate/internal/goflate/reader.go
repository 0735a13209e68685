package goflate

// What the encoder uses of the file inflate.go, which is left out.

// maxNumLit is the number of literal codes of RFC 1951.
const maxNumLit = 286

// An InternalError reports an error in the code itself.
type InternalError string

func (e InternalError) Error() string { return "flate: internal error: " + string(e) }
