package sign

import (
	"bytes"
	_ "embed" // the schema
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/flotobuild/flotobuild/internal/strictjson"
)

// Bounds of a trust policy.
const (
	PolicyVersion = 1
	MaxPolicy     = 4 << 20 // bytes
)

// PolicySchema is a JSON Schema for trust policies.
//
//go:embed policy.schema.json
var PolicySchema []byte

// A Policy says whose signatures count for which sites. Unknown keys of its
// JSON form are refused: one that is misspelt must not weaken it.
type Policy struct {
	FormatVersion int    `json:"formatVersion"` // PolicyVersion
	Comment       string `json:"comment,omitempty"`
	Keys          []Key  `json:"keys"`
	// Rules are tried in order; the first whose sites match decides alone.
	Rules []Rule `json:"rules"`
}

// A Key is a public key of a policy.
type Key struct {
	Name    string `json:"name"`
	Comment string `json:"comment,omitempty"`
	// PublicKey is what ParsePublicKey reads.
	PublicKey string `json:"publicKey"`
	// From and Until bound the creation dates of patches that the key signs: not
	// before the one, and before the other. Who holds the key can write any date,
	// so a stolen key must be revoked.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Revoked keys never count.
	Revoked bool `json:"revoked,omitempty"`

	public *PublicKey
}

// A Rule says which keys count for sites, and how many of them must have
// signed.
type Rule struct {
	Comment   string   `json:"comment,omitempty"`
	Sites     []string `json:"sites"` // patterns with * and ?, as path.Match has them
	Keys      []string `json:"keys"`  // names
	Threshold int      `json:"threshold"`
}

// ParsePolicy reads a trust policy.
func ParsePolicy(b []byte) (*Policy, error) {
	p, err := parsePolicy(b)
	if err != nil {
		return nil, fmt.Errorf("cannot read trust policy: %w", err)
	}
	return p, nil
}

func parsePolicy(b []byte) (*Policy, error) {
	if len(b) > MaxPolicy {
		return nil, fmt.Errorf("it has %d bytes, and %d are the limit", len(b), MaxPolicy)
	}
	if err := strictjson.CheckKeys(b, nil); err != nil {
		return nil, err
	}
	var v struct {
		FormatVersion int `json:"formatVersion"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, err
	}
	switch {
	case v.FormatVersion > PolicyVersion:
		return nil, fmt.Errorf("it has format version %d and this flotobuild reads %d at most: take a newer flotobuild", v.FormatVersion, PolicyVersion)
	case v.FormatVersion < 1:
		return nil, fmt.Errorf("formatVersion is missing or less than 1: write %d", PolicyVersion)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	p := new(Policy)
	if err := dec.Decode(p); err != nil {
		return nil, err
	}
	return p, p.check()
}

// NewPolicy gives a policy that demands the signatures of all keys for every
// site. names are those of the keys.
func NewPolicy(keys []*PublicKey, names []string) (*Policy, error) {
	p := &Policy{FormatVersion: PolicyVersion, Rules: []Rule{{Sites: []string{"*"}, Keys: names, Threshold: len(keys)}}}
	for n, k := range keys {
		p.Keys = append(p.Keys, Key{Name: names[n], PublicKey: string(k.PEM())})
	}
	return p, p.check()
}

// check checks the policy and parses its keys.
func (p *Policy) check() error {
	if len(p.Rules) == 0 {
		return errors.New("it has no rules, and so no patch would be trusted")
	}
	for n := range p.Keys {
		if err := p.checkKey(n); err != nil {
			return fmt.Errorf("key %d (%q): %w", n+1, p.Keys[n].Name, err)
		}
	}
	for n, r := range p.Rules {
		if err := p.checkRule(r); err != nil {
			return fmt.Errorf("rule %d: %w", n+1, err)
		}
	}
	return nil
}

func (p *Policy) checkKey(n int) error {
	k := &p.Keys[n]
	switch {
	case k.Name == "" || strings.ContainsFunc(k.Name, unicode.IsControl):
		return errors.New("the name is empty or holds a control character")
	case !k.From.IsZero() && !k.Until.IsZero() && !k.From.Before(k.Until):
		return errors.New("from is not before until")
	}
	var err error
	if k.public, err = ParsePublicKey([]byte(k.PublicKey)); err != nil {
		return err
	}
	for _, o := range p.Keys[:n] {
		switch {
		case o.Name == k.Name:
			return errors.New("the name stands twice")
		case o.Fingerprint() == k.Fingerprint():
			return fmt.Errorf("it is the same key as %q: each must count once only", o.Name)
		}
	}
	return nil
}

func (p *Policy) checkRule(r Rule) error {
	if len(r.Sites) == 0 {
		return errors.New("it has no sites: [\"*\"] is all of them")
	}
	for _, s := range r.Sites {
		if _, err := path.Match(s, ""); err != nil || s == "" {
			return fmt.Errorf("site %q is not a pattern", s)
		}
	}
	for n, name := range r.Keys {
		switch {
		case p.key(name) == nil:
			return fmt.Errorf("there is no key %q", name)
		case slices.Contains(r.Keys[:n], name):
			return fmt.Errorf("key %q stands twice", name)
		}
	}
	if r.Threshold < 1 || r.Threshold > len(r.Keys) {
		return fmt.Errorf("threshold is %d; it has %d keys, and at least 1 must sign", r.Threshold, len(r.Keys))
	}
	return nil
}

func (p *Policy) key(name string) *Key {
	n := slices.IndexFunc(p.Keys, func(k Key) bool { return k.Name == name })
	if n < 0 {
		return nil
	}
	return &p.Keys[n]
}

// rule gives the first rule for a site, or nil.
func (p *Policy) rule(site string) *Rule {
	for n, r := range p.Rules {
		if slices.ContainsFunc(r.Sites, func(s string) bool { ok, _ := path.Match(s, site); return ok }) {
			return &p.Rules[n]
		}
	}
	return nil
}

// Fingerprint is that of the key.
func (k Key) Fingerprint() string { return k.public.Fingerprint() }
