package main

import (
	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/planner"
)

// recipientHint says how those are named whom a file is encrypted for.
const recipientHint = "name public keys with -recipient or -recipients-file, or a passphrase with -passphrase-env"

// recipientFlags name those whom a file is encrypted for.
type recipientFlags struct {
	recipients []string
	files      []string // of recipients
	passphrase string   // name of the variable with it
}

func (f *recipientFlags) define(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.recipients, "recipient", nil, "encrypt for this public `KEY`, age1… or ssh-…; may stand several times")
	cmd.Flags().StringArrayVar(&f.files, "recipients-file", nil, "encrypt for the public keys in this `FILE`, one a line; may stand several times")
	cmd.Flags().StringVar(&f.passphrase, "passphrase-env", "", "encrypt with the passphrase in the environment variable `NAME` instead")
}

// all lists the recipients that the flags name; none where there are no flags.
func (f *recipientFlags) all() ([]crypt.Recipient, error) {
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
	return executor.Recipients(&planner.Encryption{Recipients: texts, PassphraseEnv: f.passphrase})
}

// audience says whom a file is for.
func (f *recipientFlags) audience(n int) string {
	if f.passphrase != "" {
		return "those who know the passphrase in " + f.passphrase
	}
	return count(n, "recipient")
}
