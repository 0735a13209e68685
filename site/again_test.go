package site

import (
	"bytes"
	"crypto"
	"encoding/json"
	"os"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// signed gives a copy of a patch with the signatures of keys.
func (m *maker) signed(d *patch.Description, keys ...crypto.Signer) string {
	m.t.Helper()
	m.dir = m.t.TempDir()
	return m.write(d, patch.CreateOptions{Sign: func(message []byte, entry []byte) ([]byte, error) {
		var err error
		for _, k := range keys {
			if entry, err = sign.Add(entry, message, k); err != nil {
				break
			}
		}
		return entry, err
	}})
}

func generate(t *testing.T) (crypto.Signer, *sign.PublicKey) {
	t.Helper()
	key, err := sign.Generate(sign.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	public, err := sign.PublicOf(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, public
}

// A patch that was signed after its import is imported again: its signatures
// join those that are there, and the record says what they are worth.
func TestSignedAfterImport(t *testing.T) {
	m := newMaker(t)
	d := m.describe(0, []patch.Image{m.image("one", m.layer("base", noise(1, 100), "gzip"))})
	ada, adaPublic := generate(t)
	bob, bobPublic := generate(t)
	policy, err := sign.NewPolicy([]*sign.PublicKey{adaPublic, bobPublic}, []string{"ada", "bob"})
	if err != nil {
		t.Fatal(err)
	}
	policy.Rules[0].Threshold = 1
	b, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	unsigned := m.write(d, patch.CreateOptions{})
	mustImport(t, s, unsigned)
	steps := []struct {
		name           string
		path           string
		policy         []byte
		signed         bool
		count, trusted int
	}{
		{name: "the same", path: unsigned},
		{name: "ada", path: m.signed(d, ada), signed: true, count: 1},
		{name: "ada again", path: m.signed(d, ada), count: 1},
		{name: "unsigned again", path: unsigned, count: 1},
		{name: "policy", path: m.signed(d, ada), policy: b, signed: true, count: 1, trusted: 1},
		{name: "policy again", path: m.signed(d, ada), policy: b, count: 1, trusted: 1},
		{name: "bob", path: m.signed(d, bob), policy: b, signed: true, count: 2, trusted: 2},
		{name: "ada alone", path: m.signed(d, ada), policy: b, count: 2, trusted: 2},
		{name: "no policy", path: m.signed(d, bob), count: 2, trusted: 2},
	}
	events := 0
	for _, step := range steps {
		if err := s.SetTrust(t.Context(), step.policy, "test"); err != nil {
			t.Fatal(err)
		}
		i := mustImport(t, s, step.path)
		v := i.Record.Verified.Signatures
		if !i.Known || i.Signed != step.signed || v.Signatures != step.count || len(v.Trusted) != step.trusted {
			t.Errorf("%s: known %v, signed %v, %+v", step.name, i.Known, i.Signed, v)
		}
		if step.signed {
			events++
		}
		entry, err := os.ReadFile(s.path(patchesDir, d.ID, patch.SignatureEntry))
		if err != nil && step.count > 0 || bytes.Count(entry, []byte("\n")) != step.count {
			t.Errorf("%s: the file has %q, %v", step.name, entry, err)
		}
	}
	history, err := s.History()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range history {
		if e.Action == ActionSign {
			events--
		}
	}
	if events != 0 {
		t.Errorf("the history: %+v", history)
	}
	sound(t, s)
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left: %q", l)
	}
}

// Signatures of others than the policy demands change nothing.
func TestSignedByStranger(t *testing.T) {
	m := newMaker(t)
	d := m.describe(0, []patch.Image{m.image("one", m.layer("base", noise(1, 100), "gzip"))})
	_, public := generate(t)
	stranger, _ := generate(t)
	policy, err := sign.NewPolicy([]*sign.PublicKey{public}, []string{"ada"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	mustImport(t, s, m.write(d, patch.CreateOptions{}))
	if err := s.SetTrust(t.Context(), b, "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Import(t.Context(), Source{Path: m.signed(d, stranger)}, ImportOptions{}); err == nil {
		t.Error("the stranger's signature was taken")
	}
	if _, err := os.Stat(s.path(patchesDir, d.ID, patch.SignatureEntry)); err == nil {
		t.Error("it stands in the store")
	}
}
