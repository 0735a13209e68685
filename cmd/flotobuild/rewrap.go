package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/planner"
)

// rewrapFlags are the flags of rewrap.
type rewrapFlags struct {
	recipients []string
	files      []string // of recipients
	passphrase string   // name of the variable with it
	out        string
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
	cmd.Flags().StringArrayVar(&f.recipients, "recipient", nil, "encrypt for this public `KEY`, age1… or ssh-…; may stand several times")
	cmd.Flags().StringArrayVar(&f.files, "recipients-file", nil, "encrypt for the public keys in this `FILE`, one a line; may stand several times")
	cmd.Flags().StringVar(&f.passphrase, "passphrase-env", "", "encrypt with the passphrase in the environment variable `NAME` instead")
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
	} else if !crypt.IsEncrypted(first[:n]) {
		return &hintError{fmt.Errorf("cannot rewrap %q: it is not encrypted", name), "age -r RECIPIENT encrypts a file as it is"}
	}
	out, err := createNew(f.out)
	if err != nil {
		return err
	}
	defer out.Abort()
	err = crypt.Rewrap(ctx, out, in, info.Size(), crypt.RewrapOptions{Name: name, Keys: o.Keys, Recipients: recipients})
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

// all lists the recipients that the flags name.
func (f *rewrapFlags) all() ([]crypt.Recipient, error) {
	texts := f.recipients
	for _, name := range f.files {
		b, err := readSmall(name, maxIdentities)
		if err != nil {
			return nil, err
		}
		more, err := crypt.ParseRecipients(name, b)
		if err != nil {
			return nil, err
		}
		texts = append(texts, more...)
	}
	if len(texts) == 0 && f.passphrase == "" {
		return nil, &hintError{errors.New("rewrap needs somebody to encrypt for"), "name public keys with -recipient or -recipients-file, or a passphrase with -passphrase-env"}
	}
	return executor.Recipients(&planner.Encryption{Recipients: texts, PassphraseEnv: f.passphrase})
}

// audience says whom a file is for.
func (f *rewrapFlags) audience(n int) string {
	if f.passphrase != "" {
		return "those who know the passphrase in " + f.passphrase
	}
	return count(n, "recipient")
}
