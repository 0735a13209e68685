package volume

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	format        = "flotobuild volumes"
	formatVersion = 1
	maxIndex      = 128 << 10 // bytes; the largest set needs less
)

// An Index is what every volume tells about its set.
type Index struct {
	Layout
	SHA256  string   // of the file, bare hex
	Digests []string // SHA-256 of each volume's payload: data, then parity
	hint    string
}

// indexJSON is the form of an index.
type indexJSON struct {
	Format        string   `json:"format"`
	FormatVersion int      `json:"formatVersion"`
	Hint          string   `json:"hint"`
	Name          string   `json:"name"`
	Size          int64    `json:"size"`
	SHA256        string   `json:"sha256"`
	PayloadSize   int64    `json:"payloadSize"`
	Data          []string `json:"data"`
	Parity        []string `json:"parity"`
}

// newIndex makes an index whose digests are still to come. They have their
// lengths already, so that its encoding has.
func newIndex(l *Layout) *Index {
	none := strings.Repeat("0", 2*sha256.Size)
	x := &Index{Layout: *l, SHA256: none, Digests: make([]string, l.Volumes())}
	for n := range x.Digests {
		x.Digests[n] = none
	}
	name := "'" + strings.ReplaceAll(l.Name, "'", `'\''`) + "'"
	x.hint = fmt.Sprintf("flotobuild join restores the file. Without it, when all data volumes are there: "+
		"for v in %s.[0-9][0-9][0-9]; do head -c %d \"$v\"; done | head -c %d > %s", name, l.Payload, l.Size, name)
	return x
}

// encode gives the bytes of the index. An index has one encoding.
func (x *Index) encode() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(indexJSON{
		format, formatVersion, x.hint, x.Name, x.Size, x.SHA256, x.Payload,
		x.Digests[:x.Data], append([]string{}, x.Digests[x.Data:]...),
	})
	if err != nil {
		panic(err) // strings and numbers only
	}
	return b.Bytes()
}

// decodeIndex reads an index. It accepts what encode gives and nothing else.
func decodeIndex(b []byte) (*Index, error) {
	var j indexJSON
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&j); err != nil {
		return nil, fmt.Errorf("the index is no JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the index")
	}
	if j.Format != format || j.FormatVersion != formatVersion {
		return nil, fmt.Errorf("the index has the format %q version %d, and this program reads %q version %d", j.Format, j.FormatVersion, format, formatVersion)
	}
	x := &Index{
		Layout: Layout{j.Name, j.Size, j.PayloadSize, len(j.Data), len(j.Parity)},
		SHA256: j.SHA256, Digests: append(j.Data, j.Parity...), hint: j.Hint,
	}
	if err := x.check(); err != nil {
		return nil, err
	}
	for _, s := range append([]string{x.SHA256}, x.Digests...) {
		if raw, err := hex.DecodeString(s); err != nil || len(raw) != sha256.Size || s != strings.ToLower(s) {
			return nil, fmt.Errorf("%q is no SHA-256 digest", s)
		}
	}
	if !bytes.Equal(x.encode(), b) {
		return nil, errors.New("the index is not in its one form")
	}
	return x, nil
}
