package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/relate"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// relatedFlags say how a merged or rebased patch is written.
type relatedFlags struct {
	recipientFlags
	sign          []string // private keys
	keyPassphrase passphraseFlags
	volumes       volumeFlags
	out           string
}

func (f *relatedFlags) define(cmd *cobra.Command, beside string) {
	f.recipientFlags.define(cmd)
	cmd.Flags().StringArrayVar(&f.sign, "sign", nil, "sign with the private key in `FILE`; may stand several times")
	f.keyPassphrase.define(cmd)
	f.volumes.define(cmd, "write volumes instead of one file: ")
	cmd.Flags().StringVar(&f.out, "out", "", "write into the folder `DIR` instead of that of "+beside)
}

// writeRelated writes a merged or rebased patch and says what it is.
func (a *app) writeRelated(ctx context.Context, hand *relate.Hand, f *relatedFlags, d *patch.Description, release *patch.Reader) error {
	o, signers, err := a.relatedOptions(ctx, f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.out, 0o777); err != nil {
		return fmt.Errorf("cannot make the folder for the patch: %w", err)
	}
	paths, err := hand.Write(ctx, f.out, d, release, o)
	var missing *relate.MissingError
	switch {
	case errors.Is(err, relate.ErrExposed):
		return &hintError{err, recipientHint + "; age -d makes a plain file of an encrypted one"}
	case errors.As(err, &missing):
		return &hintError{err, "rebase -with=PATH adds a patch, a folder of patches, or an OCI image layout"}
	case errors.Is(err, fs.ErrExist):
		return &hintError{err, "the same release was written for the same parents before: use that file, or name another folder with -out"}
	case err != nil:
		return err
	}
	if err := a.showFiles(paths); err != nil {
		return err
	}
	if len(o.Recipients) > 0 {
		a.ui.printf("  encrypted for %s\n", f.audience(len(o.Recipients)))
	}
	for _, s := range signers {
		a.ui.printf("  signed by %s\n", s)
	}
	a.showRelated(d)
	if release.Signatures() > 0 && len(signers) == 0 {
		a.ui.warnf("the signatures of %s do not cover this patch: sign it anew", d.Ref("").ID)
	}
	return nil
}

// relatedOptions reads the flags, and gives the fingerprints of the keys that
// sign.
func (a *app) relatedOptions(ctx context.Context, f *relatedFlags) (relate.WriteOptions, []string, error) {
	var o relate.WriteOptions
	var err error
	if o.Recipients, err = f.all(); err != nil {
		return o, nil, err
	}
	if o.Volumes, err = f.volumes.read(); err != nil {
		return o, nil, err
	}
	keys, err := a.openPrivateKeys(ctx, f.sign, &f.keyPassphrase)
	if err != nil || len(keys) == 0 {
		return o, nil, err
	}
	o.Sign = func(description, entry []byte) ([]byte, error) { return addAll(entry, description, keys) }
	var signers []string
	for _, k := range keys {
		p, err := sign.PublicOf(k)
		if err != nil {
			return o, nil, err
		}
		signers = append(signers, p.Fingerprint())
	}
	return o, signers, nil
}

// showFiles names what was written.
func (a *app) showFiles(paths []string) error {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		a.ui.printf("%s: %s\n", safe(path), byteSize(info.Size()))
	}
	return nil
}

// showRelated says what a merged or rebased patch is.
func (a *app) showRelated(d *patch.Description) {
	if len(d.Flotobuild.Parents) == 0 {
		a.ui.printf("  initial patch\n")
	}
	for _, p := range d.Flotobuild.Parents {
		a.ui.printf("  applies to %s\n", safe(p.ID))
	}
	a.ui.printf("  brings the release %s\n", safe(d.Ref("").ID))
	a.ui.printf("  %s in this patch\n", count(len(d.Flotobuild.Transport), "layer"))
}
