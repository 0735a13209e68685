package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/site"
)

func newSiteReceiptCommand(a *app, f *siteFlags) *cobra.Command {
	var r receiptFlags
	cmd := &cobra.Command{
		Use:   "receipt",
		Short: "Write what a site really has, as a parent for plans",
		Long: "receipt writes a small file that says which patch is active and which images the site has.\n" +
			"Where patches are made, plan -parent and apply -parent take it in place of the patch file, and\n" +
			"with -trust check the signatures of -key. Its date is that of SOURCE_DATE_EPOCH, where that is set.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.siteReceipt(cmd.Context(), f, &r) },
	}
	cmd.Flags().StringVar(&r.out, "out", "", "write to `FILE`, or in place of the receipt there, instead of to the output")
	cmd.Flags().StringArrayVar(&r.keys, "key", nil, "sign with the private key in `FILE`; may stand several times")
	r.passphrase.define(cmd)
	return cmd
}

func (a *app) siteReceipt(ctx context.Context, f *siteFlags, o *receiptFlags) error {
	if o.out != "" {
		if err := checkOut("out", o.out, isReceipt); err != nil {
			return err
		}
	}
	created, err := receiptDate()
	if err != nil {
		return err
	}
	keys, err := a.openPrivateKeys(ctx, o.keys, &o.passphrase)
	if err != nil {
		return err
	}
	s, err := f.open()
	if err != nil {
		return err
	}
	r, err := s.Receipt(created.Time)
	if errors.Is(err, site.ErrNoActive) {
		return &hintError{err, "flotobuild site activate PATCH makes one active"}
	}
	if err != nil {
		return err
	}
	b, err := encodeReceipt(r, keys)
	if err != nil {
		return err
	}
	if o.out == "" {
		a.ui.printJSON(b)
		return nil
	}
	if err := replaceFile(o.out, b, 0o666); err != nil {
		return fmt.Errorf("cannot write the receipt: %w", err)
	}
	a.ui.printf("%s: %s\n", safe(o.out), count(len(r.Images), "image"))
	return nil
}
