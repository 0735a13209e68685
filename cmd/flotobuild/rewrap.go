package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// rewrapFlags are the flags of rewrap.
type rewrapFlags struct {
	recipientFlags
	out string
}

func newRewrapCommand(a *app) *cobra.Command {
	var f rewrapFlags
	cmd := &cobra.Command{
		Use:   "rewrap FILE",
		Short: "Give an encrypted patch file other recipients",
		Long: "rewrap copies an encrypted patch with a header for other recipients. The payload is copied as it is,\n" +
			"and never decrypted as a whole. Those who could read the file before may have kept its key: for a\n" +
			"secret that they must not learn, encrypt a new patch instead.",
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withKeyHint(a.rewrap(cmd.Context(), args[0], &f))
		},
	}
	f.define(cmd)
	cmd.Flags().StringVar(&f.out, "out", "", "write this `FILE`, which must not exist")
	return cmd
}

func (a *app) rewrap(ctx context.Context, name string, f *rewrapFlags) error {
	if f.out == "" {
		return &hintError{errors.New("rewrap needs a name for the new file"), "-out FILE names it; the old one is left as it is"}
	}
	recipients, err := f.all()
	if err != nil {
		return err
	}
	if len(recipients) == 0 {
		return &hintError{errors.New("rewrap needs somebody to encrypt for"), recipientHint}
	}
	o, err := a.opener()
	if err != nil {
		return err
	}
	in, info, err := regular.Open(name)
	if err != nil {
		return fmt.Errorf("cannot open %q: %w", name, bareError(err))
	}
	defer in.Close()
	first := make([]byte, len(crypt.Magic))
	if n, err := in.ReadAt(first, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	} else if !crypt.IsEncrypted(first[:n]) && !volume.Is(name) {
		return &hintError{fmt.Errorf("cannot rewrap %q: it is not encrypted", name), "age -r RECIPIENT encrypts a file as it is"}
	}
	out, err := createNew(f.out)
	if err != nil {
		return err
	}
	defer out.Abort()
	err = crypt.Rewrap(ctx, out, in, info.Size(), crypt.RewrapOptions{Name: name, Keys: o.Keys, Recipients: recipients})
	if err != nil && volume.Is(name) {
		return &hintError{fmt.Errorf("cannot rewrap %q: it is a volume of a file, and rewrap needs the whole one", name), "flotobuild join makes the file of its volumes"}
	}
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	if err := out.Publish(f.out); err != nil {
		return err
	}
	a.ui.printf("%s: for %s\n", safe(f.out), f.audience(len(recipients)))
	return nil
}

// createNew begins a file that must not be there yet, and removes what killed
// runs left in its folder.
func createNew(name string) (*atomicfile.File, error) {
	if _, err := os.Lstat(name); err == nil {
		return nil, &hintError{fmt.Errorf("cannot write %q: it is there already", name), "remove it, or name another file"}
	}
	dir := filepath.Dir(name)
	if _, err := atomicfile.Sweep(dir); err != nil {
		return nil, err
	}
	return atomicfile.Create(dir, 0o666)
}
