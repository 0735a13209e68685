package crypt

import (
	"context"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/flotobuild/flotobuild/internal/verify"
)

// RewrapOptions say for whom a file is to be.
type RewrapOptions struct {
	Name       string // of the file, for Keys.Passphrase
	Keys       Keys
	Recipients []Recipient
}

// Rewrap copies the encrypted file r, of size bytes, to w with a header for
// other recipients. The payload is copied as it is; only its last chunk is
// decrypted, which tells whether the file is whole.
//
// Those who could decrypt the file before may have kept its key, which opens
// the new one as well.
func Rewrap(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, o RewrapOptions) error {
	if err := rewrap(ctx, w, r, size, o); err != nil {
		return fmt.Errorf("cannot rewrap: %w", err)
	}
	return nil
}

func rewrap(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, o RewrapOptions) error {
	old, err := readHeader(r, size)
	if err != nil {
		return err
	}
	key, err := o.Keys.fileKey(o.Name, old)
	if err != nil {
		return err
	}
	if _, _, err := age.DecryptReaderAt(r, size, age.NewInjectedFileKeyIdentity(key)); err != nil {
		return fmt.Errorf("the end of the file is missing or damaged: %w", err)
	}
	header, err := newHeader(key, o.Recipients)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	start := int64(len(old))
	_, err = verify.Copy(ctx, w, io.NewSectionReader(r, start, size-start))
	return err
}
