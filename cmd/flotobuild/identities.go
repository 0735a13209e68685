package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/crypt"
)

// Variables that give what encrypted patches are opened with.
const (
	identityVariable     = "FLOTOBUILD_IDENTITY"      // private keys
	identityFileVariable = "FLOTOBUILD_IDENTITY_FILE" // a file of private keys
	passphraseVariable   = "FLOTOBUILD_PASSPHRASE"
)

// maxIdentities bounds a file of private keys, in bytes.
const maxIdentities = 1 << 20

// A keyring holds the keys of one run: read when the first patch is opened.
type keyring struct {
	files []string // that -identity names

	once sync.Once
	keys crypt.Keys
	err  error

	mu         sync.Mutex
	passphrase string
}

// opener opens patches with the keys that flags and environment give.
func (a *app) opener() (patch.Opener, error) {
	k := &a.keys
	k.once.Do(func() {
		k.keys.Passphrase = a.askPassphrase
		k.keys.Identities, k.err = a.identities()
	})
	return patch.Opener{Keys: k.keys, OnDamage: a.warnDamage}, k.err
}

// warnDamage tells once of damaged volumes that parity makes up for.
func (a *app) warnDamage(path string, volumes []string) {
	name := filepath.Join(folderOf(path), volumes[0])
	if _, told := a.damaged.LoadOrStore(name, true); !told {
		a.ui.warnf("%s of %q: damaged, and read by parity: %s; flotobuild join writes the whole file", count(len(volumes), "volume"), path, strings.Join(volumes, ", "))
	}
}

func (a *app) identities() ([]crypt.Identity, error) {
	files := a.keys.files
	if name := os.Getenv(identityFileVariable); name != "" {
		files = append(files[:len(files):len(files)], name)
	}
	var out []crypt.Identity
	for _, name := range files {
		content, err := a.readKeyFile(name)
		if err != nil {
			return nil, fmt.Errorf("cannot read the identities in %q: %w", name, err)
		}
		ids, err := crypt.ParseIdentities(name, content, a.askPassphrase)
		if err != nil {
			return nil, err
		}
		out = append(out, ids...)
		if err := a.keepOut(name); err != nil {
			return nil, err
		}
	}
	if text := os.Getenv(identityVariable); text != "" {
		ids, err := crypt.ParseIdentities("$"+identityVariable, []byte(text), a.askPassphrase)
		if err != nil {
			return nil, err
		}
		out = append(out, ids...)
	}
	return out, nil
}

// readKeyFile reads a file of private keys, and warns where others can do so
// too.
func (a *app) readKeyFile(name string) ([]byte, error) {
	f, info, err := regular.Open(name)
	if err != nil {
		return nil, bareError(err)
	}
	defer f.Close()
	if info.Mode().Perm()&0o077 != 0 {
		a.ui.warnf("others than its owner may use the private keys in %q: its mode is %04o; chmod 600 ends that", name, info.Mode().Perm())
	}
	return readLimited(f, maxIdentities)
}

// keepOut sees that a private key in the project folder does not travel in
// conf/, also where name is a link to it.
func (a *app) keepOut(name string) error {
	target, err := filepath.EvalSymlinks(name)
	if err != nil {
		return fmt.Errorf("cannot find %q: %w", name, bareError(err))
	}
	return errors.Join(a.ownFile(name), a.ownFile(target))
}

// readSmall reads a file of at most limit bytes.
func readSmall(name string, limit int64) ([]byte, error) {
	f, _, err := regular.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", name, bareError(err))
	}
	defer f.Close()
	b, err := readLimited(f, limit)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", name, err)
	}
	return b, nil
}

func readLimited(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		return nil, fmt.Errorf("it has more than %d bytes", limit)
	}
	return b, err
}

// bareError takes the path off an error of the system.
func bareError(err error) error {
	if e := (*os.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// askPassphrase gives the passphrase of a file: the variable's, else what the
// user types. It is asked for once in a run.
func (a *app) askPassphrase(name string) (string, error) {
	a.keys.mu.Lock()
	defer a.keys.mu.Unlock()
	if p := os.Getenv(passphraseVariable); p != "" {
		return p, nil
	}
	if a.keys.passphrase != "" {
		return a.keys.passphrase, nil
	}
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return "", crypt.ErrNoPassphrase
	}
	a.ui.promptf("Passphrase of %q: ", safe(name))
	p, err := term.ReadPassword(fd)
	a.ui.promptf("\n")
	if err != nil {
		return "", fmt.Errorf("cannot read the passphrase: %w", err)
	}
	if len(p) == 0 {
		return "", crypt.ErrNoPassphrase
	}
	a.keys.passphrase = string(p)
	return a.keys.passphrase, nil
}

// withKeyHint adds to an error how a missing key is given.
func withKeyHint(err error) error {
	missing := (*crypt.IdentityError)(nil)
	switch {
	case errors.As(err, &missing) && !missing.Passphrase():
		return &hintError{err, "name the file of the private key with -identity FILE, or in " + identityFileVariable}
	case missing != nil, errors.Is(err, crypt.ErrNoPassphrase), errors.Is(err, crypt.ErrPassphrase):
		return &hintError{err, "type the passphrase at a terminal, or give it in " + passphraseVariable}
	}
	return err
}
