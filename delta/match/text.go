package match

// Suited gives the options that suit the bytes of target.
func Suited(target []byte) Options {
	if isText(target) {
		return Options{Gain: 32, Byte: 13}
	}
	return Binary
}

// Binary are the options for programs.
var Binary = Options{Gain: 10, Byte: 48}

// isText says whether b begins like text in ASCII or UTF-8.
func isText(b []byte) bool {
	b = b[:min(len(b), 4096)]
	odd := 0
	for _, c := range b {
		if c < 7 || c > 13 && c < 32 || c > 244 {
			odd++
		}
	}
	return odd*32 < len(b)
}
