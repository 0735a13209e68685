package sign

import (
	"bytes"
	"crypto"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var created = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// keyring makes the keys a, b, c and d.
func keyring(t testing.TB) (map[string]crypto.Signer, map[string]string) {
	private, public := make(map[string]crypto.Signer), make(map[string]string)
	for n, name := range []string{"a", "b", "c", "d"} {
		k, p := generate(t, []Type{Ed25519, ECDSA}[n%2])
		private[name] = k
		text, _ := json.Marshal(string(p.PEM()))
		public[name] = string(text)
	}
	return private, public
}

func TestPolicy(t *testing.T) {
	private, public := keyring(t)
	description := []byte(`{"siteName": "hamburg"}`)
	cases := map[string]struct {
		keys  string // of the policy, %a for the key
		rules string
		sign  string // the keys that sign, in order
		want  string // in the error; trusted otherwise
	}{
		"one":           {`{"name": "a", "publicKey": %a}`, `{"sites": ["*"], "keys": ["a"], "threshold": 1}`, "a", ""},
		"a stranger's":  {`{"name": "a", "publicKey": %a}`, `{"sites": ["*"], "keys": ["a"], "threshold": 1}`, "d", "fit no known key: 1"},
		"with another":  {`{"name": "a", "publicKey": %a}`, `{"sites": ["*"], "keys": ["a"], "threshold": 1}`, "da", ""},
		"unsigned":      {`{"name": "a", "publicKey": %a}`, `{"sites": ["*"], "keys": ["a"], "threshold": 1}`, "", "is not signed"},
		"two of three":  {three, `{"sites": ["*"], "keys": ["a", "b", "c"], "threshold": 2}`, "ac", ""},
		"one of two":    {three, `{"sites": ["*"], "keys": ["a", "b", "c"], "threshold": 2}`, "c", `missing: "a" (`},
		"first rule":    {three, `{"sites": ["ham*"], "keys": ["b"], "threshold": 1}, {"sites": ["*"], "keys": ["a"], "threshold": 1}`, "a", `does not count: the rule for site "hamburg" does not name it; missing: "b"`},
		"second rule":   {three, `{"sites": ["bremen", "k?ln"], "keys": ["b"], "threshold": 1}, {"sites": ["*"], "keys": ["a"], "threshold": 1}`, "a", ""},
		"no rule":       {three, `{"sites": ["bremen"], "keys": ["b"], "threshold": 1}`, "b", "no rule"},
		"revoked":       {`{"name": "a", "publicKey": %a, "revoked": true}`, `{"sites": ["*"], "keys": ["a"], "threshold": 1}`, "a", "it is revoked"},
		"one revoked":   {`{"name": "a", "publicKey": %a, "revoked": true}, {"name": "b", "publicKey": %b}`, `{"sites": ["*"], "keys": ["a", "b"], "threshold": 1}`, "ab", ""},
		"too early":     {`{"name": "a", "publicKey": %a, "from": "2026-03-01T12:00:01Z"}`, `{"sites": ["*"], "keys": ["a"], "threshold": 1}`, "a", "made from 2026-03-01T12:00:01Z on"},
		"at its start":  {`{"name": "a", "publicKey": %a, "from": "2026-03-01T13:00:00+01:00"}`, `{"sites": ["*"], "keys": ["a"], "threshold": 1}`, "a", ""},
		"at its end":    {`{"name": "a", "publicKey": %a, "until": "2026-03-01T12:00:00Z"}`, `{"sites": ["*"], "keys": ["a"], "threshold": 1}`, "a", "made before 2026-03-01T12:00:00Z"},
		"before an end": {`{"name": "a", "publicKey": %a, "until": "2026-03-01T12:00:01Z"}`, `{"sites": ["*"], "keys": ["a"], "threshold": 1}`, "a", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := ParsePolicy(policyText(c.keys, c.rules, public))
			if err != nil {
				t.Fatal(err)
			}
			var entry []byte
			for _, k := range c.sign {
				if entry, err = Add(entry, description, private[string(k)]); err != nil {
					t.Fatal(err)
				}
			}
			v, err := p.Check(Subject{Site: "hamburg", Created: created, Description: description}, entry)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if (v.Problem != "") != (err != nil) || v.Signatures != len(c.sign) {
				t.Errorf("verdict: %+v", v)
			}
			changed := bytes.Replace(description, []byte("hamburg"), []byte("hamburh"), 1)
			if _, err := p.Check(Subject{Site: "hamburg", Created: created, Description: changed}, entry); err == nil {
				t.Error("a changed description is trusted")
			}
		})
	}
}

const three = `{"name": "a", "publicKey": %a}, {"name": "b", "publicKey": %b}, {"name": "c", "publicKey": %c}`

func policyText(keys, rules string, public map[string]string) []byte {
	for name, k := range public {
		keys = strings.ReplaceAll(keys, "%"+name, k)
	}
	return fmt.Appendf(nil, `{"formatVersion": 1, "keys": [%s], "rules": [%s]}`, keys, rules)
}

// A key's signature in two forms is one signature: in ECDSA, whoever has (r, s)
// can make (r, n-s).
func TestThresholdCountsKeys(t *testing.T) {
	private, public := keyring(t)
	p, err := ParsePolicy(policyText(three, `{"sites": ["*"], "keys": ["a", "b"], "threshold": 2}`, public))
	if err != nil {
		t.Fatal(err)
	}
	var all []Signature
	for range 2 {
		s, err := Sign(struct{ crypto.Signer }{private["b"]}, []byte("x")) // with chance: each differs
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	v, err := p.Check(Subject{Site: "s", Created: created, Description: []byte("x")}, Encode(all))
	if err == nil || len(v.Trusted) != 1 || v.Unknown != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestNewPolicyWantsAll(t *testing.T) {
	a, pa := generate(t, Ed25519)
	b, pb := generate(t, ECDSA)
	p, err := NewPolicy([]*PublicKey{pa, pb}, []string{"a.pub", "b.pub"})
	if err != nil {
		t.Fatal(err)
	}
	s := Subject{Site: "any site", Created: created, Description: []byte("x")}
	one, _ := Add(nil, s.Description, a)
	if _, err := p.Check(s, one); err == nil {
		t.Error("one of two is enough")
	}
	two, _ := Add(one, s.Description, b)
	if _, err := p.Check(s, two); err != nil {
		t.Error(err)
	}
	if _, err := NewPolicy([]*PublicKey{pa, pa}, []string{"a", "b"}); err == nil {
		t.Error("the same key twice")
	}
}

func TestPoliciesRefused(t *testing.T) {
	_, public := keyring(t)
	const key, rule = `{"name": "a", "publicKey": %a}`, `{"sites": ["*"], "keys": ["a"], "threshold": 1}`
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":        {"keys:", "invalid character"},
		"empty":           {"", "EOF"},
		"two values":      {`{"formatVersion": 1, "keys": [], "rules": []} {}`, "something follows"},
		"no version":      {`{"keys": [], "rules": []}`, "formatVersion is missing"},
		"later version":   {`{"formatVersion": 2, "anything": []}`, "newer flotobuild"},
		"no rules":        {`{"formatVersion": 1, "keys": [], "rules": []}`, "no rules"},
		"unknown key":     {`{"formatVersion": 1, "keys": [], "rules": [], "x": 1}`, `unknown field "x"`},
		"twice":           {`{"formatVersion": 1, "keys": [], "rules": [], "Rules": []}`, "differ in case"},
		"no name":         {with(`{"publicKey": %a}`, rule), "the name is empty"},
		"bad key":         {with(`{"name": "a", "publicKey": "x"}`, rule), `key 1 ("a"): cannot read public key`},
		"same name":       {with(key+`, {"name": "a", "publicKey": %b}`, rule), "the name stands twice"},
		"same key":        {with(key+`, {"name": "b", "publicKey": %a}`, rule), `the same key as "a"`},
		"window":          {with(`{"name": "a", "publicKey": %a, "from": "2026-03-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"}`, rule), "not before until"},
		"date":            {with(`{"name": "a", "publicKey": %a, "from": "2026-03-01"}`, rule), "cannot parse"},
		"no sites":        {with(key, `{"sites": [], "keys": ["a"], "threshold": 1}`), "rule 1: it has no sites"},
		"bad pattern":     {with(key, `{"sites": ["[a"], "keys": ["a"], "threshold": 1}`), "not a pattern"},
		"absent key":      {with(key, `{"sites": ["*"], "keys": ["b"], "threshold": 1}`), `no key "b"`},
		"key twice":       {with(key, `{"sites": ["*"], "keys": ["a", "a"], "threshold": 2}`), `key "a" stands twice`},
		"no threshold":    {with(key, `{"sites": ["*"], "keys": ["a"]}`), "threshold is 0"},
		"high threshold":  {with(key, `{"sites": ["*"], "keys": ["a"], "threshold": 2}`), "threshold is 2"},
		"no keys":         {with(key, `{"sites": ["*"], "keys": [], "threshold": 0}`), "threshold is 0"},
		"negative":        {with(key, `{"sites": ["*"], "keys": ["a"], "threshold": -1}`), "threshold is -1"},
		"misspelt":        {with(key, `{"sites": ["*"], "keys": ["a"], "treshold": 1}`), "unknown field"},
		"revoked as text": {with(`{"name": "a", "publicKey": %a, "revoked": "yes"}`, rule), "cannot unmarshal"},
		"too large":       {strings.Repeat(" ", MaxPolicy+1), "are the limit"},
	} {
		text := c.text
		for n, k := range public {
			text = strings.ReplaceAll(text, "%"+n, k)
		}
		if _, err := ParsePolicy([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func with(keys, rules string) string { return string(policyText(keys, rules, nil)) }

// The schema takes what ParsePolicy takes, and refuses misspelt keys.
func TestPolicySchema(t *testing.T) {
	_, public := keyring(t)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(PolicySchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(b []byte) bool {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		return err == nil && schema.Validate(v) == nil
	}
	key := `{"name": "a", "comment": "c", "publicKey": %a, "from": "2026-03-01T00:00:00Z", "until": "2027-03-01T00:00:00Z", "revoked": false}`
	good := policyText(key, `{"comment": "c", "sites": ["*"], "keys": ["a"], "threshold": 1}`, public)
	if _, err := ParsePolicy(good); err != nil || !valid(good) {
		t.Errorf("%v, %v", valid(good), err)
	}
	for _, bad := range []string{
		with(`{"name": "a", "publicKey": "x", "form": ""}`, ""),
		with(`{"name": "a", "publicKey": "x"}`, `{"sites": ["*"], "keys": ["a"], "treshold": 1}`),
		with(`{"name": "a", "publicKey": "x"}`, ""),
	} {
		if valid([]byte(bad)) {
			t.Errorf("the schema takes %s", bad)
		}
	}
}

// A policy that was read gives the same verdicts after it was written again.
func FuzzPolicy(f *testing.F) {
	private, public := keyring(f)
	f.Add(policyText(three, `{"sites": ["*"], "keys": ["a", "b"], "threshold": 2}`, public), "hamburg")
	f.Add([]byte(`{"formatVersion": 1, "keys": [], "rules": [{"sites": ["["], "keys": [], "threshold": 1}]}`), "x")
	message := []byte("x")
	entry, err := Add(nil, message, private["a"])
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte, site string) {
		p, err := ParsePolicy(b)
		if err != nil {
			return
		}
		text, err := json.Marshal(p)
		if err != nil {
			return // a year beyond 9999 in another zone
		}
		q, err := ParsePolicy(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		s := Subject{Site: site, Created: created, Description: message}
		_, first := p.Check(s, entry)
		_, second := q.Check(s, entry)
		if fmt.Sprint(first) != fmt.Sprint(second) {
			t.Errorf("%v and then %v", first, second)
		}
	})
}
