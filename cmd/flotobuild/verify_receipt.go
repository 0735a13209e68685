package main

import (
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// A receiptReport is what verify finds in a receipt.
type receiptReport struct {
	SiteName     string          `json:"siteName"`
	CreationDate patch.Time      `json:"creationDate"`
	Active       patch.ParentRef `json:"active"`
	Images       int             `json:"images"`
}

// verifyReceipt checks a receipt, which says of itself that nothing is missing.
func verifyReceipt(file string, policy *sign.Policy) verification {
	v := verification{File: file}
	r, _, b, err := readReceipt(file)
	if err != nil {
		v.Error = err.Error()
		return v
	}
	v.Receipt = &receiptReport{r.SiteName, r.CreationDate, r.Active, len(r.Images)}
	v.Signatures, err = checkReceiptTrust(b, r, policy)
	v.OK, v.Complete = err == nil, true
	return v
}

func (a *app) showReceiptVerification(v verification, trustChecked bool) {
	r := v.Receipt
	a.ui.printf("  receipt of site %q, made %s\n", r.SiteName, r.CreationDate.String())
	a.ui.printf("  active patch %s, %s complete\n", safe(r.Active.ID), count(r.Images, "image"))
	a.showTrust(v, trustChecked)
}
