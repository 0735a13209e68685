package main

import (
	"context"
	"crypto"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch"
)

// receiptFlags are the flags of receipt.
type receiptFlags struct {
	out        string
	keys       []string
	passphrase passphraseFlags
}

func newReceiptCommand(a *app) *cobra.Command {
	var f receiptFlags
	cmd := &cobra.Command{
		Use:   "receipt PATCH",
		Short: "Write what a site has that has imported a patch, as parent of the next one",
		Long: "receipt writes the receipt of a site where the patch is active and complete, and nothing else is.\n" +
			"It is a small file, is not encrypted, and stands for the patch wherever a parent is named.\n" +
			"Signatures of -key cover all of it; plan, show and verify check them with -trust, and so\n" +
			"does openssl. Its date is that of SOURCE_DATE_EPOCH, where that is set.",
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error { return a.receipt(cmd.Context(), args[0], &f) },
	}
	cmd.Flags().StringVar(&f.out, "out", "", "write to `FILE`, or in place of the receipt there, instead of to the output")
	cmd.Flags().StringArrayVar(&f.keys, "key", nil, "sign with the private key in `FILE`; may stand several times")
	f.passphrase.define(cmd)
	return cmd
}

func (a *app) receipt(ctx context.Context, name string, f *receiptFlags) error {
	if f.out != "" {
		if err := checkOut("out", f.out, isReceipt); err != nil {
			return err
		}
	}
	created, err := receiptDate()
	if err != nil {
		return err
	}
	keys, err := a.openPrivateKeys(ctx, f.keys, &f.passphrase)
	if err != nil {
		return err
	}
	p, err := a.openPatch(name)
	if err != nil {
		return err
	}
	defer p.Close()
	h := &p.Header
	b, err := encodeReceipt(patch.NewReceipt(h, created, patch.ReceiptImages(h.Description)), keys)
	if err != nil {
		return err
	}
	if f.out == "" {
		a.ui.printJSON(b)
		return nil
	}
	if err := replaceFile(f.out, b, 0o666); err != nil {
		return fmt.Errorf("cannot write the receipt: %w", err)
	}
	return nil
}

// receiptDate is now, or SOURCE_DATE_EPOCH.
func receiptDate() (patch.Time, error) {
	epoch, err := sourceDateEpoch(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return patch.Time{}, err
	}
	if epoch != nil {
		return patch.NewTime(*epoch), nil
	}
	return patch.NewTime(time.Now()), nil
}

// encodeReceipt gives the bytes of a receipt, signed with all keys.
func encodeReceipt(r *patch.Receipt, keys []crypto.Signer) ([]byte, error) {
	b, err := patch.EncodeReceipt(r)
	if err != nil || len(keys) == 0 {
		return b, err
	}
	return patch.SignReceipt(b, func(signed, entry []byte) ([]byte, error) { return addAll(entry, signed, keys) })
}
