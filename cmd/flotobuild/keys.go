package main

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/flotobuild/flotobuild/patch/sign"
	"github.com/flotobuild/flotobuild/planner"
)

// keyPassphraseVariable names the variable with the passphrase of private keys.
const keyPassphraseVariable = "FLOTOBUILD_KEY_PASSPHRASE"

// passphraseFlags say where the passphrase of private keys comes from.
type passphraseFlags struct{ file string }

func (f *passphraseFlags) define(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "passphrase-file", "", "read the passphrase of the private key from the first line of `FILE`, which may be /dev/fd/N")
}

// read gives the passphrase of the key name: from the file, else from the
// variable, else from the terminal, where a new one is asked for twice.
func (f *passphraseFlags) read(ctx context.Context, u *ui, name string, isNew bool) ([]byte, error) {
	if f.file != "" {
		b, err := readBounded(f.file, sign.MaxKey)
		if err != nil {
			return nil, fmt.Errorf("cannot read passphrase: %w", err)
		}
		line, _, _ := bytes.Cut(b, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			return nil, fmt.Errorf("cannot read passphrase: the first line of %q is empty", f.file)
		}
		return line, nil
	}
	if v := os.Getenv(keyPassphraseVariable); v != "" {
		return []byte(v), nil
	}
	if !isTerminal(u.in) {
		return nil, &hintError{
			fmt.Errorf("the key %q needs a passphrase, and there is no terminal to ask on", name),
			"set " + keyPassphraseVariable + ", or name a file with -passphrase-file",
		}
	}
	p, err := askSecret(ctx, u, fmt.Sprintf("Passphrase of %s: ", name))
	if err != nil || !isNew {
		return p, err
	}
	again, err := askSecret(ctx, u, "The same again: ")
	switch {
	case err != nil:
		return nil, err
	case !bytes.Equal(p, again):
		return nil, errors.New("the two passphrases differ; nothing was written")
	case len(p) == 0:
		return nil, &hintError{errors.New("the passphrase is empty; nothing was written"), "-no-passphrase makes a key without one"}
	}
	return p, nil
}

// askSecret asks on the terminal and does not show the answer.
func askSecret(ctx context.Context, u *ui, question string) ([]byte, error) {
	fd := int(u.in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, fmt.Errorf("cannot ask for a passphrase: %w", err)
	}
	u.promptf("%s", question)
	type answer struct {
		text []byte
		err  error
	}
	got := make(chan answer, 1)
	go func() { // left behind at an interrupt: the program ends then
		text, err := term.ReadPassword(fd)
		got <- answer{text, err}
	}()
	defer u.notef("")
	select {
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), term.Restore(fd, before))
	case a := <-got:
		return a.text, a.err
	}
}

// readBounded reads a small file, which may be a pipe.
func readBounded(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%q has more than %d bytes", name, most)
	}
	return b, err
}

// openPrivateKey reads a private key and asks for its passphrase where it has
// one. Everybody's access to the file is worth a warning.
func (a *app) openPrivateKey(ctx context.Context, name string, f *passphraseFlags) (crypto.Signer, error) {
	b, err := readBounded(name, sign.MaxKey)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &hintError{fmt.Errorf("cannot read private key: %w", err), "flotobuild keygen makes a key"}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read private key: %w", err)
	}
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		a.ui.warnf("others than its owner may read the private key %q or write to it (%04o): run chmod 600 %s", name, info.Mode().Perm(), name)
	}
	k, err := sign.ParsePrivateKey(b, func() ([]byte, error) { return f.read(ctx, a.ui, name, false) })
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	return k, nil
}

// openPrivateKeys opens the keys that -key names.
func (a *app) openPrivateKeys(ctx context.Context, names []string, f *passphraseFlags) ([]crypto.Signer, error) {
	var keys []crypto.Signer
	for _, name := range names {
		k, err := a.openPrivateKey(ctx, name, f)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// planKeys opens the private keys that a plan's patches are signed with.
func (a *app) planKeys(ctx context.Context, dir string, plan *planner.Plan, f *passphraseFlags) (map[string]crypto.Signer, error) {
	keys := make(map[string]crypto.Signer)
	for _, s := range plan.Sites {
		if s.Change == planner.ChangeNone {
			continue
		}
		for _, name := range s.Patch.SignKeys {
			if keys[name] != nil {
				continue
			}
			at := filepath.FromSlash(name)
			if !filepath.IsAbs(at) {
				at = filepath.Join(dir, at)
			}
			k, err := a.openPrivateKey(ctx, at, f)
			if err != nil {
				return nil, fmt.Errorf("cannot sign the patch of site %q: %w", s.Name, err)
			}
			keys[name] = k
		}
	}
	return keys, nil
}
