package relate

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/flotobuild/flotobuild/patch"
)

// maxText bounds the files that are compared line by line, in bytes.
const maxText = 4 << 20

// A Text is a file's difference in the unified format.
type Text struct {
	// Unified is empty where the contents are the same, or no text.
	Unified []byte
	// Why says why there are no lines to compare; empty where there are.
	Why string
	// Added and Removed count lines.
	Added, Removed int
}

// Compare compares a file of two patches line by line. Links are compared by
// their targets. Files that are no text, or very large ones, are not compared.
func Compare(a, b *patch.Reader, f patch.FileDifference) (*Text, error) {
	for _, c := range []*patch.Content{f.A, f.B} {
		if c != nil && c.Size > maxText {
			return &Text{Why: "too large to compare"}, nil
		}
	}
	if f.A != nil && f.B != nil && f.A.SHA256 == f.B.SHA256 {
		return &Text{}, nil
	}
	before, err := content(a, f.A)
	if err != nil {
		return nil, err
	}
	after, err := content(b, f.B)
	if err != nil {
		return nil, err
	}
	if !isText(before) || !isText(after) {
		return &Text{Why: "binary"}, nil
	}
	t := &Text{Unified: unified(f, before, after)}
	t.count()
	return t, nil
}

func content(p *patch.Reader, c *patch.Content) ([]byte, error) {
	if c == nil {
		return nil, nil
	}
	r, err := p.Open(c.Path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("cannot read entry %q: %w", c.Path, err)
	}
	return b, nil
}

// isText takes for text what is UTF-8 and has no NUL.
func isText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// unified compares texts. Names are as git writes them, so that patch -p1 takes
// the result.
func unified(f patch.FileDifference, before, after []byte) []byte {
	from, to := "a/"+f.Path, "b/"+f.Path
	if f.A == nil {
		from = "/dev/null"
	}
	if f.B == nil {
		to = "/dev/null"
	}
	out := diff.Diff(from, before, to, after)
	_, out, _ = bytes.Cut(out, []byte("\n")) // the line that repeats the names
	return out
}

// count counts the lines behind the two with the names.
func (t *Text) count() {
	for i, line := range bytes.Split(t.Unified, []byte("\n")) {
		switch {
		case i < 2:
		case bytes.HasPrefix(line, []byte("+")):
			t.Added++
		case bytes.HasPrefix(line, []byte("-")):
			t.Removed++
		}
	}
}
