package deploy

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
)

// A mount is a file or folder of a patch that containers see.
type mount struct {
	digest digest.Digest // of all that is in it: paths, modes, contents
	name   string        // last part of its path
	files  fs.FS
	// entries are those of the patch; the part of their path up to cut is not in
	// the mount.
	entries []patch.Content
	cut     int
}

// newMount finds what the patch has at a path.
func newMount(r *Release, at string) (*mount, error) {
	m := &mount{name: path.Base(at), files: r.Files, cut: len(path.Dir(at)) + 1}
	h := sha256.New()
	for _, c := range r.Contents {
		if c.Path == at || strings.HasPrefix(c.Path, at+"/") {
			m.entries = append(m.entries, c)
			fmt.Fprintf(h, "%v %s %s\n", c.Mode, c.SHA256, c.Path[m.cut:])
		}
	}
	if m.entries == nil {
		return nil, fmt.Errorf("a container should see %q, and the patch has nothing there", at)
	}
	m.digest = digest.NewDigest(digest.SHA256, h)
	return m, nil
}

// each opens one entry after another, checked while it is read. Links have their
// target as content.
func (m *mount) each(use func(name string, c patch.Content, r io.Reader) error) error {
	for _, c := range m.entries {
		if err := m.open(c, use); err != nil {
			return fmt.Errorf("cannot copy %q: %w", c.Path, err)
		}
	}
	return nil
}

func (m *mount) open(c patch.Content, use func(name string, c patch.Content, r io.Reader) error) error {
	name := c.Path[m.cut:]
	d := digest.NewDigestFromEncoded(digest.SHA256, c.SHA256)
	if c.Mode.FileMode()&fs.ModeSymlink != 0 {
		target, err := fs.ReadLink(m.files, c.Path)
		if err != nil {
			return err
		}
		return use(name, c, verify.NewReader(strings.NewReader(target), c.Path, c.Size, d))
	}
	f, err := m.files.Open(c.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	return use(name, c, verify.NewReader(f, c.Path, c.Size, d))
}

// write makes the mount in the folder dir, unless it is there. It appears whole.
func (m *mount) write(dir string) error {
	at := filepath.Join(dir, m.digest.Encoded())
	if _, err := os.Lstat(at); err == nil {
		return nil
	}
	temporary, err := os.MkdirTemp(dir, atomicfile.Prefix) // of mode 0700, as its files may hold secrets
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	if err := m.each(func(name string, c patch.Content, r io.Reader) error { return writeEntry(temporary, name, c, r) }); err != nil {
		return err
	}
	if err := settle(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, at); err != nil {
		return err
	}
	return syncFolder(dir)
}

// settle lets every user read the folders within dir, whatever the umask is,
// and puts them on the disk.
func settle(dir string) error {
	return filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		if name != dir {
			if err := os.Chmod(name, 0o755); err != nil {
				return err
			}
		}
		return syncFolder(name)
	})
}

func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func writeEntry(dir, name string, c patch.Content, r io.Reader) error {
	at := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	if c.Mode.FileMode()&fs.ModeSymlink != 0 {
		target, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		return os.Symlink(string(target), at)
	}
	f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, c.Mode.FileMode().Perm())
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Chmod(c.Mode.FileMode().Perm()); err != nil { // whatever the umask is: containers have other users
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	return f.Sync()
}
