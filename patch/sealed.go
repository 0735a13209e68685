package patch

import (
	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch/crypt"
)

// sealed is the output of a patch that is encrypted while it is written.
type sealed struct {
	*crypt.Writer
	file *atomicfile.File
}

// Publish implements output.
func (s sealed) Publish(path string) error {
	if err := s.Close(); err != nil {
		return err
	}
	return s.file.Publish(path)
}

// Sync implements output.
func (s sealed) Sync() error {
	if err := s.Close(); err != nil {
		return err
	}
	return s.file.Sync()
}

// Abort implements output.
func (s sealed) Abort() { s.file.Abort() }

// newFileWriter writes to f, encrypted where there are recipients.
func newFileWriter(f *atomicfile.File, d *Description, o CreateOptions) (*Writer, error) {
	if len(o.Recipients) == 0 {
		return newWriter(f, d, o.Sign)
	}
	e, err := crypt.NewWriter(f, o.Recipients)
	if err != nil {
		return nil, err
	}
	return newWriter(sealed{e, f}, d, o.Sign)
}

// fileName is that of a patch, encrypted where there are recipients.
func fileName(id string, recipients []crypt.Recipient) (string, error) {
	name, err := FileName(id)
	if err != nil || len(recipients) == 0 {
		return name, err
	}
	return checkFileName(id, id+EncryptedExtension)
}
