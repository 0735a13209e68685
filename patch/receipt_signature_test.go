package patch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// encodedReceipt is the receipt of a site with one patch.
func encodedReceipt(t testing.TB) []byte {
	t.Helper()
	p := mustOpen(t, newSite(t).initial())
	b, err := EncodeReceipt(NewReceipt(&p.Header, p.Description.CreationDate, ReceiptImages(p.Description)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSignReceipt(t *testing.T) {
	plain := encodedReceipt(t)
	one, err := SignReceipt(plain, line("Zmlyc3Q="))
	if err != nil {
		t.Fatal(err)
	}
	if signed, entry, err := ReceiptSignatures(plain); err != nil || entry != nil || !bytes.Equal(signed, plain) {
		t.Errorf("not signed: %q, %v", entry, err)
	}
	two, err := SignReceipt(one, line("c2Vjb25k"))
	if err != nil {
		t.Fatal(err)
	}
	signed, entry, err := ReceiptSignatures(two)
	if err != nil || string(entry) != "Zmlyc3Q=\nc2Vjb25k\n" {
		t.Errorf("signatures are %q, %v", entry, err)
	}
	if want := strings.TrimSuffix(string(plain), "\n}\n") + ",\n"; string(signed) != want {
		t.Errorf("signed bytes end with %q", signed[len(signed)-20:])
	}
	if want := string(signed) + "  \"signatures\": [\n    \"Zmlyc3Q=\",\n    \"c2Vjb25k\"\n  ]\n}\n"; string(two) != want {
		t.Errorf("two signatures:\n%s", two)
	}
	if _, h, err := DecodeReceipt(two); err != nil || h.Description.SiteName != "north" {
		t.Errorf("a signed receipt: %v", err)
	}
	same, err := SignReceipt(two, func(_, entry []byte) ([]byte, error) { return entry, nil })
	if err != nil || !bytes.Equal(same, two) {
		t.Errorf("signed with nothing new: %v", err)
	}
}

// What this package has no field for is kept, and is signed.
func TestSignReceiptKeepsUnknown(t *testing.T) {
	plain := encodedReceipt(t)
	newer := bytes.Replace(plain, []byte("{\n"), []byte("{\n  \"host\": {\n    \"name\": \"später <1>\", \"free\": 1.50\n  },\n"), 1)
	var compact bytes.Buffer
	if err := json.Compact(&compact, newer); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"as written": newer, "compact": compact.Bytes(), "line ends": bytes.ReplaceAll(newer, []byte("\n"), []byte("\r\n")),
	} {
		out, err := SignReceipt(b, line("Zmlyc3Q="))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		signed, _, err := ReceiptSignatures(out)
		if body := bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(b), []byte("}"))); err != nil || !bytes.Equal(signed, append(slices.Clone(body), ",\n"...)) {
			t.Errorf("%s: signed is\n%s\n%v", name, signed, err)
		}
		if _, _, err := DecodeReceipt(out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is changed outside of the signatures changes what they cover, or the
// receipt is refused.
func TestSignReceiptChanged(t *testing.T) {
	good, err := SignReceipt(encodedReceipt(t), line("Zmlyc3Q="))
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := ReceiptSignatures(good)
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if n%7 > 0 && n > 500 && n < len(good)-200 {
			continue // in the description's base64
		}
		for _, c := range []byte{good[n] ^ 1, ' ', '\n', '"', ','} {
			b := bytes.Clone(good)
			if b[n] = c; bytes.Equal(b, good) {
				continue
			}
			if _, _, err := DecodeReceipt(b); err != nil {
				continue
			}
			if signed, entry, err := ReceiptSignatures(b); err == nil && bytes.Equal(signed, want) && string(entry) == "Zmlyc3Q=\n" {
				t.Fatalf("byte %d may be %q without a difference", n, c)
			}
		}
	}
	for name, c := range map[string]struct{ old, new string }{
		"more behind":     {"  ]\n}\n", "  ],\n  \"siteName\": \"south\"\n}\n"},
		"other key":       {"\"signatures\"", "\"Signatures\""},
		"one line":        {"[\n    \"Zmlyc3Q=\"\n  ]", "[\"Zmlyc3Q=\"]"},
		"none":            {"[\n    \"Zmlyc3Q=\"\n  ]", "[\n  ]"},
		"escaped":         {"\"Zmlyc3Q=\"", "\"Zmlyc3\\u0051=\""},
		"no list":         {"[\n    \"Zmlyc3Q=\"\n  ]", "\"Zmlyc3Q=\""},
		"a second list":   {"  \"siteName\"", "  \"signatures\": [\n    \"eA==\"\n  ],\n  \"siteName\""},
		"below":           {"  \"siteName\"", "  \"x\": {\n  \"signatures\": [\n    \"eA==\"\n  ]\n},\n  \"siteName\""},
		"without newline": {"  ]\n}\n", "  ]\n}"},
		"line ends":       {"\n", "\r\n"},
	} {
		b := strings.ReplaceAll(string(good), c.old, c.new)
		if b == string(good) {
			t.Fatalf("%s: nothing to replace", name)
		}
		if _, _, err := DecodeReceipt([]byte(b)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAddReceiptSignature(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	if err := os.WriteFile(path, encodedReceipt(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for n, want := range []bool{true, false} {
		changed, err := AddReceiptSignature(t.Context(), path, func(_, entry []byte) ([]byte, error) {
			if entry != nil {
				return entry, nil
			}
			return []byte("Zmlyc3Q=\n"), nil
		})
		if err != nil || changed != want {
			t.Errorf("time %d: %v, %v", n+1, changed, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	before := mustRead(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, ctx := range map[string]context.Context{"cancelled": ctx, "failing": t.Context()} {
		_, err := AddReceiptSignature(ctx, path, func(_, entry []byte) ([]byte, error) {
			if name == "failing" {
				return nil, errors.New("no key")
			}
			return append(entry, "c2Vjb25k\n"...), nil
		})
		if err == nil || !bytes.Equal(mustRead(t, path), before) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := AddReceiptSignature(t.Context(), path, line("eA==")); err == nil || !strings.Contains(err.Error(), "no receiptVersion") {
		t.Errorf("no receipt: %v", err)
	}
}
