package planner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ErrVersion is the error of Decode for a plan of another format version.
var ErrVersion = errors.New("unknown plan format")

// Encode returns the plan's JSON form: indented, keys in a fixed order, with a
// newline at the end. Equal plans have equal bytes.
func Encode(p *Plan) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		return nil, fmt.Errorf("cannot encode plan: %w", err)
	}
	return b.Bytes(), nil
}

// Decode reads what Encode wrote. A plan of another format version, with
// unknown fields or with references to images that it does not describe is
// refused, as apply does exactly what the plan says.
func Decode(data []byte) (*Plan, error) {
	var version struct {
		FormatVersion int `json:"formatVersion"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, fmt.Errorf("cannot decode plan: %w", err)
	}
	if version.FormatVersion != FormatVersion {
		return nil, fmt.Errorf("cannot decode plan: %w: version %d, this flotobuild knows %d; make the plan again with the flotobuild that applies it",
			ErrVersion, version.FormatVersion, FormatVersion)
	}
	var p Plan
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("cannot decode plan: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("cannot decode plan: data after the plan; make the plan again")
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("cannot decode plan: %w; make the plan again", err)
	}
	return &p, nil
}
