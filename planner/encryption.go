package planner

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch/crypt"
)

// checkRecipients finds public keys that cannot be used. Sites share files of
// them, and a place is reported once.
func checkRecipients(cfg *lang.Config) hcl.Diagnostics {
	var diags hcl.Diagnostics
	seen := make(map[lang.Recipient]bool)
	for _, s := range cfg.Sites {
		e := s.Patch.Encrypt
		if e == nil {
			continue
		}
		before := len(diags)
		var usable []crypt.Recipient
		for _, r := range e.Recipients {
			k, err := crypt.ParseRecipient(r.Text)
			if err == nil {
				usable = append(usable, k)
			} else if !seen[r] {
				diags = append(diags, problem(r.Range, "Invalid recipient", sentence(err)))
			}
			seen[r] = true
		}
		if len(diags) > before || len(usable) == 0 {
			continue
		}
		if _, err := crypt.EncryptedSize(0, usable); err != nil {
			diags = append(diags, problem(e.Range, "Recipients cannot share a file", fmt.Sprintf("The patch of site %q cannot be written: %v.", s.Name, err)))
		}
	}
	return diags
}

// String names whom the file is encrypted for, in one line; empty for nobody.
func (e *Encryption) String() string {
	switch {
	case e == nil:
		return ""
	case e.PassphraseEnv != "":
		return "passphrase in " + e.PassphraseEnv
	}
	return strings.Join(e.Recipients, ", ")
}

func encryption(e *lang.Encryption) *Encryption {
	if e == nil {
		return nil
	}
	out := &Encryption{PassphraseEnv: e.PassphraseEnv}
	for _, r := range e.Recipients {
		out.Recipients = append(out.Recipients, r.Text)
	}
	return out
}
