package executor

import (
	"errors"
	"fmt"
	"os"

	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/planner"
)

// Recipients gives those whom a patch is encrypted for; nil for one that is
// not. The passphrase is read from its variable.
func Recipients(e *planner.Encryption) ([]crypt.Recipient, error) {
	if e == nil {
		return nil, nil
	}
	out, err := publicKeys(e)
	if err != nil || e.PassphraseEnv == "" {
		return out, err
	}
	text := os.Getenv(e.PassphraseEnv)
	if text == "" {
		return nil, fmt.Errorf("cannot encrypt: the environment variable %s, which gives the passphrase, is not set or empty", e.PassphraseEnv)
	}
	p, err := crypt.NewPassphrase(text)
	return append(out, p), err
}

func publicKeys(e *planner.Encryption) ([]crypt.Recipient, error) {
	var out []crypt.Recipient
	for _, text := range e.Recipients {
		r, err := crypt.ParseRecipient(text)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// encryptedSize is that of a patch of size bytes when it is encrypted. It needs
// no passphrase.
func encryptedSize(size int64, e *planner.Encryption) (int64, error) {
	if e == nil {
		return size, nil
	}
	recipients, err := publicKeys(e)
	if err != nil {
		return 0, err
	}
	if e.PassphraseEnv != "" {
		p, err := crypt.NewPassphrase("all take the same space")
		if err != nil {
			return 0, err
		}
		recipients = append(recipients, p)
	}
	return crypt.EncryptedSize(size, recipients)
}

// checkPassphrases fails before hours of builds where a passphrase is missing.
func (r *run) checkPassphrases() error {
	var errs []error
	for _, s := range r.plan.Sites {
		if e := s.Patch.Encrypt; e != nil && s.Change != planner.ChangeNone && e.PassphraseEnv != "" && os.Getenv(e.PassphraseEnv) == "" {
			_, err := Recipients(e)
			errs = append(errs, fmt.Errorf("cannot make the patch of site %q: %w", s.Name, err))
		}
	}
	return errors.Join(errs...)
}
