package envelope

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// Merge puts the envelopes and contexts of add into a device's configuration,
// which is binary protobuf. An envelope takes the place of the one with its
// UUID, a context of the one with its id; others are appended. Every other
// byte of the configuration stays as it is, and where it is.
func Merge(config []byte, add *evepb.EdgeDevConfig) ([]byte, error) {
	if isJSON(config) {
		return nil, errors.New("cannot merge into JSON: only the binary form keeps fields that flotobuild does not know; merge into that")
	}
	m := &merger{fields: map[protowire.Number]map[string][]byte{fieldContexts: {}, fieldEnvelopes: {}}}
	for _, c := range add.GetCipherContexts() {
		if err := m.add(fieldContexts, c.GetContextId(), c); err != nil {
			return nil, err
		}
	}
	for _, e := range add.GetPatchEnvelopes() {
		if err := m.add(fieldEnvelopes, strings.ToLower(e.GetUuid()), e); err != nil {
			return nil, err
		}
	}
	if err := eachField(config, m.field); err != nil {
		return nil, fmt.Errorf("cannot merge into the configuration: %w", err)
	}
	for _, k := range m.order {
		if !m.written[k] {
			m.put(k)
		}
	}
	return m.out, nil
}

// A part is an envelope or a context by its name.
type part struct {
	field protowire.Number
	id    string
}

type merger struct {
	fields  map[protowire.Number]map[string][]byte
	order   []part
	written map[part]bool
	out     []byte
}

func (m *merger) add(field protowire.Number, id string, v proto.Message) error {
	if id == "" {
		return fmt.Errorf("cannot merge: the %s has no id", kind(v))
	}
	b, err := Marshal(v)
	if err != nil {
		return err
	}
	if _, ok := m.fields[field][id]; ok {
		return fmt.Errorf("cannot merge: the %s %q stands there twice", kind(v), id)
	}
	m.fields[field][id] = b
	m.order = append(m.order, part{field, id})
	return nil
}

// field copies a field of the configuration, or what replaces it. Of several
// with the same id only one is left.
func (m *merger) field(n protowire.Number, _ protowire.Type, raw, value []byte) error {
	id, err := identity(n, value)
	if err != nil {
		return err
	}
	p := part{n, id}
	if _, ok := m.fields[n][id]; !ok || id == "" {
		m.out = append(m.out, raw...)
	} else if !m.written[p] {
		m.put(p)
	}
	return nil
}

func identity(n protowire.Number, value []byte) (string, error) {
	switch n {
	case fieldEnvelopes:
		e := new(evepb.EvePatchEnvelope)
		if err := proto.Unmarshal(value, e); err != nil {
			return "", fmt.Errorf("an envelope in it is damaged: %w", err)
		}
		return strings.ToLower(e.GetUuid()), nil
	case fieldContexts:
		c := new(evepb.CipherContext)
		if err := proto.Unmarshal(value, c); err != nil {
			return "", fmt.Errorf("a cipher context in it is damaged: %w", err)
		}
		return c.GetContextId(), nil
	}
	return "", nil
}

func (m *merger) put(p part) {
	if m.written == nil {
		m.written = make(map[part]bool)
	}
	m.written[p] = true
	m.out = protowire.AppendTag(m.out, p.field, protowire.BytesType)
	m.out = protowire.AppendBytes(m.out, m.fields[p.field][p.id])
}
