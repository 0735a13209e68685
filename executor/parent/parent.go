// Package parent opens what stands for a parent of the next patch: a patch file,
// its description alone, a site's receipt, or a description in a registry.
package parent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// A Parent is an opened parent. Its layers are at hand only where it is a patch
// file.
type Parent struct {
	patch.Header
	// Location is where Open finds the very same parent again: a file, or
	// oci://REPOSITORY@DIGEST.
	Location string
	// Patch is nil where the description alone is at hand.
	Patch *patch.Reader
	// Proof is for a trust policy.
	Proof Proof
}

// A Proof is what tells who made a parent.
type Proof struct {
	Kind    string // "patch", "receipt" or "description", which has no signatures
	Created time.Time
	Signed  []byte // the exact bytes that Signatures cover
	// Signatures is as package sign reads it; nil where there are none, or where
	// they cannot be read.
	Signatures []byte
}

func proofOf(r *patch.Reader) Proof {
	p := Proof{Kind: "patch", Created: r.Description.CreationDate.Time, Signed: r.Raw()}
	if b, err := r.Signature(); err == nil {
		p.Signatures = b
	}
	return p
}

// Close closes the patch file.
func (p *Parent) Close() error {
	if p.Patch == nil {
		return nil
	}
	return p.Patch.Close()
}

// Open opens a file, or what a reference names that begins with oci://. What a
// file is shows in its content. Patch files are opened by o, and descriptions are
// checked as patch.DecodeHeader does it. An error for a file that is not there
// satisfies errors.Is(err, fs.ErrNotExist).
func Open(ctx context.Context, location string, o patch.Opener) (*Parent, error) {
	if ref, ok := strings.CutPrefix(location, Scheme); ok {
		return pull(ctx, ref)
	}
	if volume.Is(location) {
		return openPatch(location, o) // it may begin with any byte
	}
	f, info, err := regular.Open(location)
	if err != nil {
		return nil, fmt.Errorf("cannot open parent: %w", err)
	}
	defer f.Close()
	start := make([]byte, 1)
	if _, err := io.ReadFull(f, start); err != nil || start[0] != '{' {
		return openPatch(location, o)
	}
	if info.Size() > patch.MaxReceipt {
		return nil, fmt.Errorf("cannot read parent %q: it has %d bytes, and neither a description nor a receipt has more than %d", location, info.Size(), patch.MaxReceipt)
	}
	b, err := io.ReadAll(io.LimitReader(f, patch.MaxReceipt))
	if err != nil {
		return nil, fmt.Errorf("cannot read parent %q: %w", location, err)
	}
	p, err := decode(append(start, b...))
	if err != nil {
		return nil, fmt.Errorf("cannot read parent %q: %w", location, err)
	}
	p.Location = location
	return p, nil
}

func openPatch(file string, o patch.Opener) (*Parent, error) {
	r, err := o.Open(file)
	if err == nil && r.Lost() != nil {
		defer r.Close()
		return &Parent{Header: r.Header, Location: file, Proof: proofOf(r)}, nil
	}
	if err != nil && volume.Is(file) {
		// Where volumes are missing, the first one still says what the site has.
		if h, herr := o.Header(file); herr == nil {
			return &Parent{Header: *h, Location: file, Proof: Proof{Kind: "description", Created: h.Description.CreationDate.Time}}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return &Parent{Header: r.Header, Location: file, Patch: r, Proof: proofOf(r)}, nil
}

// decode reads a description or a receipt.
func decode(b []byte) (*Parent, error) {
	var keys struct {
		ReceiptVersion *json.RawMessage `json:"receiptVersion"`
		CreationDate   *json.RawMessage `json:"creationDate"`
	}
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&keys); err != nil {
		return nil, fmt.Errorf("it is neither a description nor a receipt: %w", err)
	}
	switch {
	case keys.ReceiptVersion != nil:
		return receipt(b)
	case keys.CreationDate == nil:
		return nil, errors.New("it is neither a patch file, nor a description (patch-description.json), nor a receipt")
	}
	h, err := patch.DecodeHeader(b)
	if err != nil {
		return nil, err
	}
	return &Parent{Header: *h, Proof: Proof{Kind: "description", Created: h.Description.CreationDate.Time}}, nil
}

func receipt(b []byte) (*Parent, error) {
	r, h, err := patch.DecodeReceipt(b)
	if err != nil {
		return nil, err
	}
	signed, signatures, err := patch.ReceiptSignatures(b)
	if err != nil {
		return nil, err
	}
	return &Parent{Header: *h, Proof: Proof{"receipt", r.CreationDate.Time, signed, signatures}}, nil
}
