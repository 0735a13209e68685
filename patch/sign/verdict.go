package sign

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Subject is what signatures stand for.
type Subject struct {
	Kind        string // for messages: "patch" unless it says something else
	Site        string
	Created     time.Time
	Description []byte // the exact bytes that are signed
}

func (s Subject) kind() string { return cmp.Or(s.Kind, "patch") }

// A Verdict says what a policy makes of a patch's signatures.
type Verdict struct {
	Signatures int      `json:"signatures"`
	Needed     int      `json:"needed"`            // keys
	Trusted    []KeyRef `json:"trusted,omitempty"` // keys that signed and count
	Refused    []KeyRef `json:"refused,omitempty"` // keys that signed and do not count
	// Unknown counts the signatures that fit no key of the policy: of other
	// keys, or over other bytes.
	Unknown int `json:"unknown,omitempty"`
	// Lacking are the keys that count and have not signed.
	Lacking []KeyRef `json:"lacking,omitempty"`
	// Problem says why the patch is not trusted.
	Problem string `json:"problem,omitempty"`
}

// A KeyRef names a key of a policy.
type KeyRef struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	Reason      string `json:"reason,omitempty"` // why it does not count
}

// String gives name and fingerprint.
func (r KeyRef) String() string { return fmt.Sprintf("%q (%s)", r.Name, r.Fingerprint) }

// Check says what the policy makes of the signatures in entry, the content of
// patch-description.json.sig or what patch.ReceiptSignatures gives; nil where
// there is none. The error says why the
// patch is not trusted; the verdict is never nil.
func (p *Policy) Check(s Subject, entry []byte) (*Verdict, error) {
	v := new(Verdict)
	err := p.judge(v, s, entry)
	if err != nil {
		v.Problem = err.Error()
	}
	return v, err
}

func (p *Policy) judge(v *Verdict, s Subject, entry []byte) error {
	signatures, err := Decode(entry)
	if err != nil {
		return err
	}
	v.Signatures = len(signatures)
	rule := p.rule(s.Site)
	if rule == nil {
		return fmt.Errorf("no rule of the trust policy is for site %q", s.Site)
	}
	v.Needed = rule.Threshold
	fits := make([]bool, len(signatures))
	for _, k := range p.Keys {
		v.add(k, slices.Contains(rule.Keys, k.Name), s, signatures, fits)
	}
	for _, ok := range fits {
		if !ok {
			v.Unknown++
		}
	}
	if len(v.Trusted) < v.Needed {
		return errors.New(v.explain(s))
	}
	return nil
}

// add counts a key, and marks the signatures that fit it.
func (v *Verdict) add(k Key, listed bool, s Subject, signatures []Signature, fits []bool) {
	signed := false
	for n, sig := range signatures {
		if !fits[n] && k.public.Verify(s.Description, sig) {
			fits[n], signed = true, true
		}
	}
	ref := KeyRef{Name: k.Name, Fingerprint: k.Fingerprint(), Reason: k.objection(s)}
	switch {
	case !signed && listed && ref.Reason == "":
		v.Lacking = append(v.Lacking, ref)
	case !signed:
	case !listed:
		ref.Reason = fmt.Sprintf("the rule for site %q does not name it", s.Site)
		v.Refused = append(v.Refused, ref)
	case ref.Reason != "":
		v.Refused = append(v.Refused, ref)
	default:
		v.Trusted = append(v.Trusted, ref)
	}
}

// objection says why the key does not count for what was made at that date.
func (k Key) objection(s Subject) string {
	const day = "2006-01-02T15:04:05Z07:00"
	switch {
	case k.Revoked:
		return "it is revoked"
	case s.Created.Before(k.From):
		return "it counts for what was made from " + k.From.Format(day) + " on, and this " + s.kind() + " is of " + s.Created.UTC().Format(day)
	case !k.Until.IsZero() && !s.Created.Before(k.Until):
		return "it counts for what was made before " + k.Until.Format(day) + ", and this " + s.kind() + " is of " + s.Created.UTC().Format(day)
	}
	return ""
}

// explain says why there are too few.
func (v *Verdict) explain(s Subject) string {
	var b strings.Builder
	if v.Signatures == 0 {
		fmt.Fprintf(&b, "the %s is not signed, and site %q needs %d", s.kind(), s.Site, v.Needed)
	} else {
		fmt.Fprintf(&b, "%d of the %d keys that site %q needs have signed", len(v.Trusted), v.Needed, s.Site)
	}
	for _, r := range v.Trusted {
		fmt.Fprintf(&b, "; %s has signed", r)
	}
	for _, r := range v.Refused {
		fmt.Fprintf(&b, "; the signature of %s does not count: %s", r, r.Reason)
	}
	if v.Unknown > 0 {
		fmt.Fprintf(&b, "; signatures that fit no known key: %d, made by other keys or over other bytes", v.Unknown)
	}
	for n, r := range v.Lacking {
		sep := ", "
		if n == 0 {
			sep = "; missing: "
		}
		b.WriteString(sep + r.String())
	}
	return b.String()
}
