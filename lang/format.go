package lang

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format lays out the source of a configuration, variable or root definition
// file in the usual way: two spaces for each level, and the equals signs of
// neighbouring attributes below each other. Comments, line breaks and the order
// stay as they are, and formatting twice changes nothing. A source with syntax
// errors is not formatted: the diagnostics say why, with name as the file's.
func Format(src []byte, name string) ([]byte, hcl.Diagnostics) {
	if len(src) > MaxSourceSize {
		return nil, hcl.Diagnostics{failure(fileRange(name), "Cannot read file", "The file %q is larger than %d bytes.", name, MaxSourceSize)}
	}
	if d := checkNesting(name, src); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	if _, diags := parseNative(src, name); diags.HasErrors() {
		return nil, diags
	}
	// hclwrite settles after a few rounds where comments stand among the
	// elements of a list.
	const rounds = 5
	for range rounds {
		out := hclwrite.Format(src)
		if bytes.Equal(out, src) {
			break
		}
		src = out
	}
	return src, nil
}

// Readable tells whether a source is within the limits of what is parsed.
func Readable(src []byte, name string) bool {
	return len(src) <= MaxSourceSize && checkNesting(name, src) == nil
}
