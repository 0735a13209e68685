package patch

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/flotobuild/flotobuild/patch/volume"
)

// Extension ends the names of patch files.
const Extension = ".floto-patch.zip"

// EncryptedExtension ends the names of encrypted patch files.
const EncryptedExtension = Extension + ".age"

// HasExtension tells whether a name is that of a patch file, in any form that
// can be opened.
func HasExtension(name string) bool { return TrimExtension(name) != name }

// TrimExtension gives a patch file's name without its extension: the id, where
// nobody has renamed the file.
func TrimExtension(name string) string {
	if id, ok := strings.CutSuffix(name, EncryptedExtension); ok {
		return id
	}
	return strings.TrimSuffix(name, Extension)
}

// maxFileName is what common file systems take, in bytes.
const maxFileName = 255

// NewID makes the id of a patch. Characters outside [A-Za-z0-9._-] become "-".
func NewID(created time.Time, revision, site string) string {
	return safe(NewTime(created).String()) + "-" + safe(revision) + "." + safe(site)
}

// NamedFor says whether a file, which may be a volume, is named like a patch of
// the site. It is for files that cannot be read: anybody may rename one.
func NamedFor(path, site string) bool {
	id := TrimExtension(volume.TrimName(filepath.Base(path)))
	return strings.HasSuffix(id, "."+safe(site))
}

// FileName is the name of the file of a patch. Ids come from files of unknown
// makers, so one that is no good as a file name is refused.
func FileName(id string) (string, error) {
	return checkFileName(id, id+Extension)
}

func checkFileName(id, name string) (string, error) {
	switch {
	case id == "" || id != safe(id) || strings.HasPrefix(id, "."):
		return "", fmt.Errorf("patch id %q cannot be a file name: it may have only letters, digits and \"._-\", and no dot in front", id)
	case len(name) > maxFileName:
		return "", fmt.Errorf("the file name %q has more than %d bytes: shorten the patch's name, its git tag or the site's name", name, maxFileName)
	}
	return name, nil
}

// safe maps every character outside [A-Za-z0-9._-] to "-".
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("._-", r):
			return r
		}
		return '-'
	}, s)
}
