package metadata

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/flotobuild/flotobuild/internal/regular"
)

// Reasons why a blob cannot be read.
var (
	errNoKey   = errors.New("it is encrypted, and there is no key to open it with")
	errChanged = errors.New("the volume's file has changed")
)

// A content is the bytes of a blob while they are read.
type content interface {
	io.ReadSeeker
	io.Closer
}

type text struct{ *strings.Reader }

// Close satisfies content.
func (text) Close() error { return nil }

func textContent(s string) content { return text{strings.NewReader(s)} }

// openVolume opens a volume that is still the file that was hashed.
func openVolume(v *Volume) (content, error) {
	f, info, err := regular.Open(v.Path)
	if err != nil {
		return nil, fmt.Errorf("cannot open volume %q: %w", v.Path, err)
	}
	if !same(info, v.Info) {
		f.Close()
		return nil, fmt.Errorf("cannot open volume %q: %w", v.Path, errChanged)
	}
	return f, nil
}

// same tells whether a file is the one it was, as far as the system tells
// without reading it.
func same(a, b os.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
