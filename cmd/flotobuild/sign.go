package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// signFlags are the flags of sign.
type signFlags struct {
	keys       []string
	passphrase passphraseFlags
}

func newSignCommand(a *app) *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "sign -key=KEY FILE...",
		Short: "Sign patch files and receipts",
		Long: "sign adds signatures to patch files. A signature covers the description of a patch, which lists\n" +
			"the digest of everything in it; verify checks the rest. Of a receipt it covers all. The file is\n" +
			"replaced as a whole, and a key that has signed already does not sign again. Keys are those of\n" +
			"keygen, of openssl or of OpenSSH.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(f.keys) == 0 {
				return &hintError{errors.New("sign needs a key and a patch file"), "usage: flotobuild sign -key=KEY FILE..."}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.sign(cmd.Context(), args, &f) },
	}
	cmd.Flags().StringArrayVar(&f.keys, "key", nil, "sign with the private key in `FILE`; may stand several times")
	f.passphrase.define(cmd)
	return cmd
}

func (a *app) sign(ctx context.Context, files []string, f *signFlags) error {
	keys, err := a.openPrivateKeys(ctx, f.keys, &f.passphrase)
	if err != nil {
		return err
	}
	for _, file := range files {
		add := patch.AddSignature
		if looksLikeReceipt(file) {
			add = patch.AddReceiptSignature
		}
		changed, err := add(ctx, file, func(signed, entry []byte) ([]byte, error) { return addAll(entry, signed, keys) })
		if errors.Is(err, patch.ErrNotPlain) {
			return &hintError{err, "let apply sign it with sign = { key = … } in its patch block; or make a plain file with join or age -d, sign that, and split or encrypt it again"}
		}
		if err != nil {
			return err
		}
		if !changed {
			a.ui.notef("%s is signed with these keys already", safe(file))
			continue
		}
		for _, k := range keys {
			p, err := sign.PublicOf(k)
			if err != nil {
				return err
			}
			a.ui.printf("%s: signed by %s\n", safe(file), p.Fingerprint())
		}
	}
	return nil
}

// addAll adds the signatures of all keys.
func addAll(entry, signed []byte, keys []crypto.Signer) ([]byte, error) {
	for _, k := range keys {
		var err error
		if entry, err = sign.Add(entry, signed, k); err != nil {
			return nil, fmt.Errorf("cannot add a signature: %w", err)
		}
	}
	return entry, nil
}
