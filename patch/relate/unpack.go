package relate

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
)

// Unpack writes the entries below prefix, such as patch.ConfDir, to the folder
// dir, with their modes and links, and the creation date of the patch as time.
// dir must not exist or be empty. It gives the number of files; a patch that has
// none makes no folder.
func Unpack(ctx context.Context, p *patch.Reader, prefix, dir string) (int, error) {
	var all []patch.Content
	for _, c := range p.Description.Flotobuild.Contents {
		if strings.HasPrefix(c.Path, prefix) {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return 0, nil
	}
	err := atomicfile.NewFolder(dir, func(root *os.Root) error {
		u := &unpacking{p: p, root: root, prefix: prefix}
		// Links last: nothing is written through one.
		for _, links := range []bool{false, true} {
			for _, c := range all {
				if (c.Mode == patch.ModeSymlink) != links {
					continue
				}
				if err := u.entry(ctx, c); err != nil {
					return fmt.Errorf("cannot unpack entry %q: %w", c.Path, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(all), nil
}

type unpacking struct {
	p      *patch.Reader
	root   *os.Root
	prefix string
}

func (u *unpacking) entry(ctx context.Context, c patch.Content) error {
	name := strings.TrimPrefix(c.Path, u.prefix)
	if dir := path.Dir(name); dir != "." {
		if err := u.root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	r, err := u.p.Open(c.Path)
	if err != nil {
		return err
	}
	defer r.Close()
	if c.Mode == patch.ModeSymlink {
		target, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		return u.root.Symlink(string(target), name)
	}
	return u.file(ctx, name, c, r)
}

func (u *unpacking) file(ctx context.Context, name string, c patch.Content, r io.Reader) error {
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = verify.Copy(ctx, f, r)
	if err == nil {
		err = f.Chmod(c.Mode.FileMode())
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	t := u.p.Description.CreationDate.Time
	return u.root.Chtimes(name, t, t)
}
