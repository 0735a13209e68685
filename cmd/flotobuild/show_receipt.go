package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// looksLikeReceipt tells a site's receipt from a patch by its first bytes.
func looksLikeReceipt(name string) bool {
	f, _, err := regular.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := io.ReadFull(f, head) // a short file is as good
	return isReceipt(head[:n])
}

// isReceipt judges the first bytes of a file.
func isReceipt(head []byte) bool {
	return bytes.HasPrefix(head, []byte("{")) && bytes.Contains(head, []byte(`"receiptVersion"`))
}

// readReceipt reads a receipt and its exact bytes.
func readReceipt(name string) (*patch.Receipt, *patch.Header, []byte, error) {
	f, _, err := regular.Open(name)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("cannot open receipt: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, patch.MaxReceipt+1))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("cannot read receipt %q: %w", name, err)
	}
	r, h, err := patch.DecodeReceipt(b)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%q: %w", name, err)
	}
	return r, h, b, nil
}

// showReceipt prints what a site says of itself.
func (a *app) showReceipt(name string, asJSON bool, policy *sign.Policy) error {
	r, h, b, err := readReceipt(name)
	if err != nil {
		return err
	}
	verdict, err := checkReceiptTrust(b, r, policy)
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	if asJSON {
		a.ui.printJSON(b)
		return nil
	}
	a.ui.printf("%s\n%s", safe(renderReceipt(r, h)), safe(renderSignatures(verdict, policy)))
	return nil
}

// renderSignatures says who has signed, or how many.
func renderSignatures(v *sign.Verdict, policy *sign.Policy) string {
	var b strings.Builder
	for _, k := range v.Trusted {
		fmt.Fprintf(&b, "signed by %s, %s\n", k.Name, k.Fingerprint)
	}
	switch {
	case policy != nil:
	case v.Signatures == 0:
		b.WriteString("not signed\n")
	default:
		fmt.Fprintf(&b, "signed: %s, not checked\n", count(v.Signatures, "signature"))
	}
	return b.String()
}

func renderReceipt(r *patch.Receipt, h *patch.Header) string {
	var b strings.Builder
	d := h.Description
	fmt.Fprintf(&b, "receipt of site %s\n", r.SiteName)
	for _, f := range [][2]string{
		{"created", r.CreationDate.String()},
		{"active", r.Active.ID},
		{"", string(r.Active.DescriptionDigest)},
		{"name", d.Name},
		{"version", d.Flotobuild.Version},
	} {
		fmt.Fprintf(&b, "  %-9s %s\n", f[0], f[1])
	}
	if d.Flotobuild.Release != nil {
		fmt.Fprintf(&b, "  %-9s %s\n", "release", d.Ref("").ID)
	}
	names := make(map[string]string)
	for _, i := range d.Flotobuild.Images {
		for _, m := range i.Manifests {
			names[string(m.Config.Digest)] = i.Name
		}
	}
	fmt.Fprintf(&b, "\n%s:\n", count(len(r.Images), "image"))
	for _, i := range r.Images {
		name := names[string(i.Config)]
		if name == "" {
			name = "(not of the active patch)"
		}
		fmt.Fprintf(&b, "  %s  %s, %s\n", i.Config, name, count(len(i.DiffIDs), "layer"))
	}
	return b.String()
}
