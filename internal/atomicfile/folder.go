package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// NewFolder makes the folder dir with what fill puts into it. dir must not exist
// or be empty. It appears whole: until then everything stands in a folder
// beside it, which a failure removes.
func NewFolder(dir string, fill func(*os.Root) error) error {
	dir = filepath.Clean(dir)
	if err := checkFree(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	temp := filepath.Join(filepath.Dir(dir), Prefix+rand.Text())
	if err := os.Mkdir(temp, 0o755); err != nil {
		return err
	}
	if err := fillFolder(temp, fill); err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	os.Remove(dir) // where it is empty
	if err := os.Rename(temp, dir); err != nil {
		return errors.Join(fmt.Errorf("cannot make %q: %w", dir, errors.Unwrap(err)), os.RemoveAll(temp))
	}
	return nil
}

func fillFolder(dir string, fill func(*os.Root) error) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fill(root)
}

// checkFree refuses a folder that has something in it.
func checkFree(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) > 0:
		return fmt.Errorf("%q is not empty: name a new folder", dir)
	}
	return nil
}
