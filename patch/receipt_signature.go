package patch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// The last member of a signed receipt, which stands behind the signed bytes:
// its first line, what is around each signature, and what ends the receipt.
const (
	signaturesKey   = "signatures"
	signaturesHead  = "  \"" + signaturesKey + "\": [\n"
	signaturesEnd   = "\n  ]\n}\n"
	signatureIndent = "    \""
)

// SignReceipt changes the signatures of an encoded receipt. Every other byte
// stays, so that keys of newer tools are kept and signed too; the first
// signature alone brings the end of an object that has been formatted anew into
// the form of EncodeReceipt.
func SignReceipt(b []byte, sign SignFunc) ([]byte, error) {
	out, err := signReceipt(b, sign)
	if err != nil {
		return nil, fmt.Errorf("cannot sign receipt: %w", err)
	}
	return out, nil
}

func signReceipt(b []byte, sign SignFunc) ([]byte, error) {
	if _, _, err := decodeReceipt(b); err != nil {
		return nil, err
	}
	signed, entry, err := splitReceipt(b)
	if err != nil {
		return nil, err
	}
	if entry == nil {
		body := bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(b), []byte("}")))
		signed = append(bytes.Clone(body), ",\n"...)
	}
	changed, err := sign(signed, entry)
	if err != nil || bytes.Equal(changed, entry) {
		return b, err
	}
	lines := strings.ReplaceAll(strings.TrimSuffix(string(changed), "\n"), "\n", "\",\n"+signatureIndent)
	out := fmt.Appendf(nil, "%s%s%s%s\"%s", signed, signaturesHead, signatureIndent, lines, signaturesEnd)
	if again, is, err := splitReceipt(out); err != nil || !bytes.Equal(again, signed) || !bytes.Equal(is, changed) {
		return nil, errors.New("it holds text that looks like signatures")
	}
	if len(out) > MaxReceipt {
		return nil, fmt.Errorf("it would have %d bytes, and %d are the limit", len(out), MaxReceipt)
	}
	return out, nil
}

// ReceiptSignatures gives the bytes of a receipt that signatures cover, and the
// signatures as package sign reads them: a line of base64 each. entry is nil
// when the receipt is not signed. b is one that DecodeReceipt accepts.
func ReceiptSignatures(b []byte) (signed, entry []byte, err error) {
	signed, entry, err = splitReceipt(b)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read receipt: %w", err)
	}
	return signed, entry, nil
}

// splitReceipt finds the signatures. In JSON a line break stands in no string:
// where the text from the line of the key to the end is as it must be, the key
// is one of the outermost object, and its last.
func splitReceipt(b []byte) (signed, entry []byte, err error) {
	other := errors.New("its signatures do not stand at the end, one a line, as flotobuild writes them: take the receipt as it was written")
	at := bytes.Index(b, []byte("\n"+signaturesHead))
	if at < 0 {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(b, &members); err != nil {
			return nil, nil, err
		}
		for key := range members {
			if strings.EqualFold(key, signaturesKey) {
				return nil, nil, other
			}
		}
		return b, nil, nil
	}
	signed = b[:at+1]
	rest, ok := bytes.CutSuffix(b[at+1+len(signaturesHead):], []byte(signaturesEnd))
	if !ok {
		return nil, nil, other
	}
	lines := bytes.Split(rest, []byte("\n"))
	for n, line := range lines {
		quoted, comma := bytes.CutSuffix(line, []byte(","))
		text, ok := bytes.CutPrefix(quoted, []byte(signatureIndent))
		text, end := bytes.CutSuffix(text, []byte("\""))
		if !ok || !end || comma != (n < len(lines)-1) || bytes.ContainsAny(text, `"\`) {
			return nil, nil, other
		}
		entry = append(append(entry, text...), '\n')
	}
	return signed, entry, nil
}

// AddReceiptSignature changes the signatures of the receipt at path, as
// AddSignature does it for patches.
func AddReceiptSignature(ctx context.Context, path string, sign SignFunc) (bool, error) {
	changed, err := addReceiptSignature(ctx, path, sign)
	if err != nil {
		return false, fmt.Errorf("cannot sign receipt %q: %w", path, err)
	}
	return changed, nil
}

func addReceiptSignature(ctx context.Context, path string, sign SignFunc) (bool, error) {
	path, err := filepath.EvalSymlinks(path) // a link stays one
	if err != nil {
		return false, err
	}
	f, info, err := lockFile(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxReceipt+1))
	if err != nil {
		return false, err
	}
	signed, err := signReceipt(b, sign)
	if err != nil || bytes.Equal(signed, b) {
		return false, err
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if _, err := atomicfile.Sweep(filepath.Dir(path)); err != nil {
		return false, err
	}
	return true, atomicfile.WriteFile(path, signed, info.Mode().Perm())
}
