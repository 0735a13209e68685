package zdeflate

import "math/bits"

const (
	literals    = 256
	endOfBlock  = 256
	lengthCodes = 29
	literalSize = literals + 1 + lengthCodes // codes of the tree of literals and lengths
	distSize    = 30
	lengthsSize = 19 // codes of the tree of code lengths
	maxBits     = 15
	maxLenBits  = 7
)

// Codes of the tree of code lengths beyond the lengths themselves.
const (
	repeatLast      = 16 // 3 to 6 times, 2 bits
	repeatZero      = 17 // 3 to 10 times, 3 bits
	repeatZeroLong  = 18 // 11 to 138 times, 7 bits
	maxRepeat       = 6
	maxRepeatZero   = 10
	maxRepeatLong   = 138
	minRepeat       = 3
	minRepeatLong   = 11
	minLengthsCodes = 4
)

var (
	lengthExtra  = [lengthCodes]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distExtra    = [distSize]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
	lengthsExtra = [lengthsSize]uint8{repeatLast: 2, repeatZero: 3, repeatZeroLong: 7}
	lengthsOrder = [lengthsSize]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

	lengthCode, lengthBase = makeLengthCodes()
	distCodes, distBase    = makeDistCodes()
	staticLiterals         = makeStaticLiterals()
	staticDists            = makeStaticDists()
)

// makeLengthCodes maps a length less 3 to its code, and a code to the first
// such length. The longest match has a code of its own.
func makeLengthCodes() (code [maxMatch - minMatch + 1]uint8, base [lengthCodes]uint8) {
	length := 0
	for c := range lengthCodes - 1 {
		base[c] = uint8(length)
		for range 1 << lengthExtra[c] {
			code[length] = uint8(c)
			length++
		}
	}
	code[maxMatch-minMatch], base[lengthCodes-1] = lengthCodes-1, maxMatch-minMatch
	return code, base
}

// makeDistCodes maps a distance less 1 to its code: below 256 directly, above
// by its upper bits.
func makeDistCodes() (code [512]uint8, base [distSize]uint16) {
	dist := 0
	for c := range distSize {
		base[c] = uint16(dist)
		next := dist + 1<<distExtra[c]
		for ; dist < next; dist++ {
			if dist < 256 {
				code[dist] = uint8(c)
			} else {
				code[256+dist>>7] = uint8(c)
			}
		}
	}
	return code, base
}

// distCode is the code of a distance less 1.
func distCode(d uint16) uint8 {
	if d < 256 {
		return distCodes[d]
	}
	return distCodes[256+d>>7]
}

func makeStaticLiterals() (t [literalSize + 2]node) {
	for n := range t {
		switch {
		case n <= 143:
			t[n].length = 8
		case n <= 255:
			t[n].length = 9
		case n <= 279:
			t[n].length = 7
		default:
			t[n].length = 8
		}
	}
	var counts [maxBits + 1]uint16
	counts[7], counts[8], counts[9] = 24, 152, 112
	assignCodes(t[:], &counts)
	return t
}

func makeStaticDists() (t [distSize]node) {
	for n := range t {
		t[n] = node{length: 5, code: bits.Reverse16(uint16(n)) >> 11}
	}
	return t
}
