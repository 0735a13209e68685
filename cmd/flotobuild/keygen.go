package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// keygenFlags are the flags of keygen.
type keygenFlags struct {
	kind         string
	out          string
	noPassphrase bool
	passphrase   passphraseFlags
}

func newKeygenCommand(a *app) *cobra.Command {
	var f keygenFlags
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key that signs patches",
		Long: "keygen makes a private key, which signs patches, and the public key that belongs to it, with\n" +
			"which sites check them. Both are PEM files as openssl reads them. The private key is encrypted\n" +
			"with a passphrase, from -passphrase-file, " + keyPassphraseVariable + " or the terminal. No file is\n" +
			"overwritten.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.keygen(cmd.Context(), &f) },
	}
	cmd.Flags().StringVar(&f.kind, "type", string(sign.Ed25519), "kind of key: ed25519, or ecdsa (`TYPE`; P-256)")
	cmd.Flags().StringVar(&f.out, "out", "release.pem", "write the private key to `FILE`, and the public one beside it, with the extension .pub")
	cmd.Flags().BoolVar(&f.noPassphrase, "no-passphrase", false, "do not encrypt the private key")
	f.passphrase.define(cmd)
	return cmd
}

// publicName is where the public key of a private one stands.
func publicName(private string) string {
	for _, ext := range []string{".pem", ".key"} {
		if name, ok := strings.CutSuffix(private, ext); ok && filepath.Base(name) != "." && !strings.HasSuffix(name, "/") && name != "" {
			return name + ".pub"
		}
	}
	return private + ".pub"
}

func (a *app) keygen(ctx context.Context, f *keygenFlags) error {
	if f.noPassphrase && f.passphrase.file != "" {
		return errors.New("cannot use -no-passphrase and -passphrase-file together")
	}
	key, err := sign.Generate(sign.Type(f.kind))
	if err != nil {
		return err
	}
	public, err := sign.PublicOf(key)
	if err != nil {
		return err
	}
	names := []string{f.out, publicName(f.out)}
	for _, name := range names { // before anybody types a passphrase
		if _, err := os.Lstat(name); err == nil {
			return &hintError{fmt.Errorf("cannot write %q: %w", name, fs.ErrExist), "keys are never overwritten: name another file with -out"}
		}
	}
	var phrase []byte
	if !f.noPassphrase {
		if phrase, err = f.passphrase.read(ctx, a.ui, f.out, true); err != nil {
			var h *hintError
			if errors.As(err, &h) && !isTerminal(a.ui.in) {
				h.hint += "; -no-passphrase makes a key without one"
			}
			return err
		}
	}
	private, err := sign.EncodePrivateKey(key, phrase)
	if err != nil {
		return err
	}
	if err := writeKeys(names, private, public.PEM()); err != nil {
		return err
	}
	how := "encrypted with the passphrase"
	if f.noPassphrase {
		how = "not encrypted"
	}
	a.ui.printf("private key  %s (%s)\npublic key   %s\nfingerprint  %s\n", safe(names[0]), how, safe(names[1]), public.Fingerprint())
	return nil
}

// writeKeys writes both files or none.
func writeKeys(names []string, private, public []byte) error {
	if err := os.MkdirAll(filepath.Dir(names[0]), 0o777); err != nil {
		return fmt.Errorf("cannot create the folder of the keys: %w", err)
	}
	if err := publishFile(names[0], private, 0o600); err != nil {
		return err
	}
	if err := publishFile(names[1], public, 0o644); err != nil {
		return errors.Join(err, os.Remove(names[0]))
	}
	return nil
}

// publishFile writes a new file.
func publishFile(name string, b []byte, perm fs.FileMode) error {
	f, err := atomicfile.Create(filepath.Dir(name), perm)
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(b); err != nil {
		return fmt.Errorf("cannot write %q: %w", name, err)
	}
	return f.Publish(name)
}
