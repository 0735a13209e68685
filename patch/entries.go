package patch

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/store"
)

// Names of entries and of their folders.
const (
	VersionEntry     = "VERSION.txt"
	DescriptionEntry = "patch-description.json"
	SignatureEntry   = "patch-description.json.sig"
	ManifestDir      = "manifest/"
	DocumentsDir     = "documents/"
	EnvelopesDir     = "envelopes/"
	ConfDir          = "conf/"
	GitDescribe      = "conf/.GIT_DESCRIBE"
	GitTimestamp     = "conf/.GIT_TIMESTAMP"
	LayoutEntry      = "images/oci-layout"
	IndexEntry       = "images/index.json"
	BlobsDir         = "images/blobs/sha256/"
	DeltasDir        = "images/deltas/"
)

// VersionText is the content of VERSION.txt.
const VersionText = "floto patch v1"

// groups are the beginnings of entry names in the order of the ZIP. Names that
// belong to none come last.
var groups = [...]string{VersionEntry, ManifestDir, DocumentsDir, EnvelopesDir, ConfDir, LayoutEntry, IndexEntry, BlobsDir, DeltasDir}

// Compare orders the names of entries as the ZIP has them.
func Compare(a, b string) int {
	return cmp.Or(cmp.Compare(group(a), group(b)), strings.Compare(a, b))
}

func group(name string) int {
	for i, g := range groups {
		if name == g || strings.HasSuffix(g, "/") && strings.HasPrefix(name, g) {
			return i
		}
	}
	return len(groups)
}

// BlobEntry is the name of a blob's entry.
func BlobEntry(d digest.Digest) string { return BlobsDir + d.Encoded() }

// entryBlob is the inverse of BlobEntry.
func entryBlob(name string) (digest.Digest, bool) {
	hex, ok := strings.CutPrefix(name, BlobsDir)
	return digest.NewDigestFromEncoded(digest.SHA256, hex), ok
}

// DeltaEntry is the name of a delta's entry.
func DeltaEntry(d digest.Digest) string { return DeltasDir + d.Encoded() }

// NewDeltaContent lists a delta.
func NewDeltaContent(d digest.Digest, size int64) Content {
	return Content{Path: DeltaEntry(d), Size: size, SHA256: d.Encoded(), Mode: ModeFile}
}

// NewContent lists data as a plain file.
func NewContent(name string, data []byte) Content {
	return Content{Path: name, Size: int64(len(data)), SHA256: digest.FromBytes(data).Encoded(), Mode: ModeFile}
}

// NewBlobContent lists a blob.
func NewBlobContent(d digest.Digest, size int64) Content {
	return Content{Path: BlobEntry(d), Size: size, SHA256: d.Encoded(), Mode: ModeFile}
}

// Digest is the digest of the entry's content.
func (c Content) Digest() digest.Digest { return digest.NewDigestFromEncoded(digest.SHA256, c.SHA256) }

// SetContents lists the entries in the order of the ZIP and adds those that
// the Writer makes by itself: VERSION.txt and the OCI layout's two files, which
// follow from the images. A name that stands twice in entries stays twice and
// is refused by Check. The format version follows from the transport.
func (d *Description) SetContents(entries []Content) {
	d.Flotobuild.FormatVersion = d.version()
	all := append([]Content{}, entries...)
	for name, data := range d.generated() {
		all = append(all, NewContent(name, data))
	}
	slices.SortFunc(all, func(a, b Content) int { return Compare(a.Path, b.Path) })
	d.Flotobuild.Contents = all
}

// generated gives the entries whose content follows from the description.
func (d *Description) generated() map[string][]byte {
	return map[string][]byte{
		VersionEntry: []byte(VersionText),
		LayoutEntry:  store.LayoutFile(),
		IndexEntry:   indexFile(d.Flotobuild.Images),
	}
}

// CheckPath refuses names that an entry must not have: they would leave the
// folder that the patch is unpacked in, or mean different things to different
// readers.
func CheckPath(name string) error {
	var why string
	switch {
	case name == "":
		why = "is empty"
	case len(name) > 1<<12:
		return fmt.Errorf("entry name %q… has more than %d bytes", name[:64], 1<<12)
	case !utf8.ValidString(name):
		why = "is not UTF-8"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		why = "holds a control character"
	case strings.Contains(name, `\`):
		why = "holds a backslash"
	case path.IsAbs(name) || len(name) > 1 && name[1] == ':':
		why = "is absolute"
	case slices.Contains(strings.Split(name, "/"), ".."):
		why = "leads upwards"
	case path.Clean(name) != name || name == ".":
		why = "is not in its shortest form"
	default:
		return nil
	}
	return fmt.Errorf("entry name %q %s", name, why)
}

// CheckLink refuses the target of a symbolic link that could lead out of
// conf/. name is the link's entry, target its content.
func CheckLink(name, target string) error {
	if err := checkLink(name, target); err != nil {
		return fmt.Errorf("entry %q is a symbolic link to %q: %w", name, target, err)
	}
	return nil
}

func checkLink(name, target string) error {
	rest := target
	for strings.HasPrefix(rest, "../") {
		rest = rest[len("../"):]
	}
	switch {
	case !strings.HasPrefix(name, ConfDir):
		return errors.New("links may stand in conf/ only")
	case target == "" || len(target) > 1<<12 || !utf8.ValidString(target) || strings.ContainsRune(target, 0):
		return errors.New("the target is no file name")
	case path.IsAbs(target) || strings.Contains(target, `\`):
		return errors.New("the target must be relative, with slashes")
	// Behind another link ".." leads elsewhere than it seems.
	case rest != ".." && slices.Contains(strings.Split(rest, "/"), ".."):
		return errors.New(`".." may only begin the target`)
	case !strings.HasPrefix(path.Join(path.Dir(name), target)+"/", ConfDir):
		return errors.New("the target leaves conf/")
	}
	return nil
}

// checkContents checks what is listed for one entry after another.
func checkContents(contents []Content) error {
	seen := make(map[string]bool, len(contents))
	for i, c := range contents {
		if err := c.check(); err != nil {
			return err
		}
		if seen[c.Path] {
			return fmt.Errorf("entry %q is listed twice", c.Path)
		}
		seen[c.Path] = true
		if i > 0 && Compare(contents[i-1].Path, c.Path) > 0 {
			return fmt.Errorf("entry %q is listed behind %q, where it does not belong", c.Path, contents[i-1].Path)
		}
	}
	for _, c := range contents {
		for dir := path.Dir(c.Path); dir != "."; dir = path.Dir(dir) {
			if seen[dir] {
				return fmt.Errorf("entry %q stands below %q, which is a file", c.Path, dir)
			}
		}
	}
	for _, name := range []string{VersionEntry, LayoutEntry, IndexEntry} {
		if !seen[name] {
			return fmt.Errorf("entry %q is not listed", name)
		}
	}
	return nil
}

func (c Content) check() error {
	if err := CheckPath(c.Path); err != nil {
		return err
	}
	d, isBlob := entryBlob(c.Path)
	switch {
	case c.Path == DescriptionEntry || c.Path == SignatureEntry:
		return fmt.Errorf("entry %q must not list itself", c.Path)
	case c.Size < 0:
		return fmt.Errorf("entry %q is listed with size %d", c.Path, c.Size)
	case c.Digest().Validate() != nil:
		return fmt.Errorf("entry %q is listed with sha256 %q, which is not 64 hex digits", c.Path, c.SHA256)
	case isBlob && d != c.Digest():
		return fmt.Errorf("entry %q is listed with sha256 %q: a blob's name is its digest", c.Path, c.SHA256)
	case c.Mode == ModeSymlink && (!strings.HasPrefix(c.Path, ConfDir) || c.Size > 1<<12):
		return fmt.Errorf("entry %q is listed as a symbolic link, which may stand in conf/ only and have %d bytes at most", c.Path, 1<<12)
	}
	if err := c.Mode.check(); err != nil {
		return fmt.Errorf("entry %q is listed with a wrong mode: %w", c.Path, err)
	}
	return nil
}
