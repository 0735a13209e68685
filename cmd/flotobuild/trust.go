package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/executor/parent"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// trustFlags say whose signatures count.
type trustFlags struct {
	policy string
	keys   []string
}

func (f *trustFlags) define(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.policy, "trust", "", "check signatures against the trust policy in `FILE`")
	cmd.Flags().StringArrayVar(&f.keys, "key", nil, "demand a signature of the public key in `FILE`; may stand several times")
}

// read gives the policy; nil where the flags name none.
func (f *trustFlags) read() (*sign.Policy, error) {
	switch {
	case f.policy != "" && len(f.keys) > 0:
		return nil, &hintError{errors.New("cannot use -trust and -key together"), "list the key in the trust policy"}
	case f.policy != "":
		b, err := readBounded(f.policy, sign.MaxPolicy)
		if err != nil {
			return nil, fmt.Errorf("cannot read trust policy: %w", err)
		}
		p, err := sign.ParsePolicy(b)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", f.policy, err)
		}
		return p, nil
	case len(f.keys) > 0:
		return f.fromKeys()
	}
	return nil, nil
}

func (f *trustFlags) fromKeys() (*sign.Policy, error) {
	var keys []*sign.PublicKey
	for _, name := range f.keys {
		b, err := readBounded(name, sign.MaxKey)
		if err != nil {
			return nil, fmt.Errorf("cannot read public key: %w", err)
		}
		k, err := sign.ParsePublicKey(b)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		keys = append(keys, k)
	}
	p, err := sign.NewPolicy(keys, f.keys)
	if err != nil {
		return nil, fmt.Errorf("cannot use the keys of -key: %w", err)
	}
	return p, nil
}

// defineParentTrust defines -trust of commands that take parents.
func (f *trustFlags) defineParentTrust(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.policy, "trust", "", "take parents only that are signed as the trust policy in `FILE` demands")
}

// trustedParent refuses parents that are not signed as a.trust demands; nil
// where it demands nothing.
func (a *app) trustedParent() func(*parent.Parent) error {
	if a.trust == nil {
		return nil
	}
	return func(p *parent.Parent) error {
		s := sign.Subject{Kind: p.Proof.Kind, Site: p.Description.SiteName, Created: p.Proof.Created, Description: p.Proof.Signed}
		_, err := a.trust.Check(s, p.Proof.Signatures)
		return err
	}
}

// checkTrust says what the policy makes of a patch's signatures. Without a
// policy they are counted, and their form is checked.
func checkTrust(r *patch.Reader, policy *sign.Policy) (*sign.Verdict, error) {
	entry, err := r.Signature()
	if err != nil {
		return &sign.Verdict{Problem: err.Error()}, err
	}
	d := r.Description
	return judge(policy, sign.Subject{Site: d.SiteName, Created: d.CreationDate.Time, Description: r.Raw()}, entry)
}

// checkReceiptTrust is checkTrust for a receipt, whose bytes are b.
func checkReceiptTrust(b []byte, r *patch.Receipt, policy *sign.Policy) (*sign.Verdict, error) {
	signed, entry, err := patch.ReceiptSignatures(b)
	if err != nil {
		return &sign.Verdict{Problem: err.Error()}, err
	}
	return judge(policy, sign.Subject{Kind: "receipt", Site: r.SiteName, Created: r.CreationDate.Time, Description: signed}, entry)
}

// judge checks signatures, where there is a policy, or their form.
func judge(policy *sign.Policy, s sign.Subject, entry []byte) (*sign.Verdict, error) {
	if policy == nil {
		signatures, err := sign.Decode(entry)
		v := &sign.Verdict{Signatures: len(signatures)}
		if err != nil {
			v.Problem = err.Error()
		}
		return v, err
	}
	return policy.Check(s, entry)
}

// showTrust prints what was found of the signatures.
func (a *app) showTrust(v verification, checked bool) {
	s := v.Signatures
	switch {
	case s.Problem != "":
		a.ui.errorf("%s: %s", v.File, s.Problem)
		return
	case checked:
		for _, k := range s.Trusted {
			a.ui.printf("  signed by %s, %s\n", safe(k.Name), k.Fingerprint)
		}
		for _, k := range s.Refused {
			a.ui.warnf("%s: the signature of %s does not count: %s", v.File, k, k.Reason)
		}
		if s.Unknown > 0 {
			a.ui.warnf("%s: %s of keys that the policy does not know", v.File, count(s.Unknown, "signature"))
		}
	case s.Signatures == 0:
		a.ui.printf("  not signed\n")
		a.ui.warnf("%s is not signed: nothing tells who made it", v.File)
	default:
		a.ui.printf("  %s, not checked\n", count(s.Signatures, "signature"))
		a.ui.warnf("the signatures of %s are not checked: name a trust policy with -trust, or a public key with -key", v.File)
	}
}
