package web

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
)

// staticTags gives the entity tag of each file, by path.
func staticTags(static fs.FS) map[string]string {
	tags := make(map[string]string)
	err := fs.WalkDir(static, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(static, path)
		sum := sha256.Sum256(b)
		tags[path] = fmt.Sprintf(`"%x"`, sum[:16])
		return err
	})
	if err != nil {
		panic(err) // the files are part of the program
	}
	return tags
}
