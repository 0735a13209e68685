package atomicfile

import "fmt"

// Sync puts the content on the disk, which Replace and Publish then need not do
// again. Several files can so be made ready at once before the first gets its
// name, and a full disk shows up before that.
func (f *File) Sync() error {
	if err := f.sync(); err != nil {
		return fmt.Errorf("cannot write a temporary file: %w", bare(err))
	}
	return nil
}

func (f *File) sync() error {
	if f.synced {
		return nil
	}
	err := f.ops.sync(f.f)
	f.synced = err == nil
	return err
}
