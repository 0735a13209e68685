package patch

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestReceipt(t *testing.T) {
	s := newSite(t)
	p := mustOpen(t, s.initial())
	now := NewTime(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC))
	fresh := func() *Receipt { return NewReceipt(&p.Header, now, ReceiptImages(p.Description)) }
	b, err := EncodeReceipt(fresh())
	if err != nil {
		t.Fatal(err)
	}
	r, h, err := DecodeReceipt(b)
	if err != nil || h.Digest != p.Digest || h.Description.ID != p.Description.ID || r.SiteName != "north" {
		t.Fatalf("got %+v, %v", r, err)
	}
	again, err := EncodeReceipt(r)
	if err != nil || !bytes.Equal(again, b) {
		t.Errorf("encoded again:\n%s", again)
	}
	other := mustOpen(t, s.write(s.describe(2, p.Description.Flotobuild.Images, &p.Header)))

	for name, c := range map[string]struct {
		change func(*Receipt)
		want   string
	}{
		"newer":             {func(r *Receipt) { r.ReceiptVersion = 2 }, "take a newer flotobuild"},
		"no version":        {func(r *Receipt) { r.ReceiptVersion = 0 }, "no receiptVersion"},
		"other patch":       {func(r *Receipt) { r.Description = other.Raw() }, "not that of the active patch"},
		"other site":        {func(r *Receipt) { r.SiteName = "south" }, `and the receipt of site "south"`},
		"description":       {func(r *Receipt) { r.Description = r.Description[1:] }, "cannot decode description"},
		"no description":    {func(r *Receipt) { r.Description = nil }, "cannot decode description"},
		"image missing":     {func(r *Receipt) { r.Images = r.Images[:1] }, "lacks images"},
		"image incomplete":  {func(r *Receipt) { r.Images[0].DiffIDs = r.Images[0].DiffIDs[:1] }, "lacks images"},
		"image twice":       {func(r *Receipt) { r.Images[1] = r.Images[0] }, "out of order"},
		"hostile digest":    {func(r *Receipt) { r.Images[0].Config = "sha256:../x" }, "sha256:../x"},
		"hostile in layers": {func(r *Receipt) { r.Images[0].DiffIDs[0] = "" }, "image "},
	} {
		r := fresh()
		c.change(r)
		b, err := EncodeReceipt(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := DecodeReceipt(b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := range len(b) - 2 {
		if _, _, err := DecodeReceipt(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a receipt", n, len(b))
		}
	}
}

func TestDecodeHeader(t *testing.T) {
	p := mustOpen(t, newSite(t).initial())
	h, err := DecodeHeader(p.Raw())
	if err != nil || h.Digest != p.Digest || h.Ref() != p.Ref() {
		t.Errorf("got %+v, %v", h, err)
	}
	d := *p.Description
	d.Flotobuild.Parents = []ParentRef{p.Ref()}
	d.ParentID = d.ID
	b, err := Encode(&d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeHeader(b); err == nil || !strings.Contains(err.Error(), "names itself") {
		t.Errorf("a patch on itself: %v", err)
	}
}

func FuzzDecodeReceipt(f *testing.F) {
	p := mustOpen(f, newSite(f).initial())
	b, err := EncodeReceipt(NewReceipt(&p.Header, p.Description.CreationDate, ReceiptImages(p.Description)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	signed, err := SignReceipt(b, line("Zmlyc3Q="))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add([]byte(`{"receiptVersion":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, h, err := DecodeReceipt(b)
		if err != nil {
			return
		}
		if h.Ref() != r.Active || !json.Valid(b) {
			t.Errorf("accepted %q", b)
		}
		covered, entry, err := ReceiptSignatures(b)
		if err != nil || entry != nil && !bytes.HasPrefix(b, covered) {
			t.Errorf("signatures of %q: %v", b, err)
		}
	})
}
