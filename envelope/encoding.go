package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/flotobuild/flotobuild/envelope/evepb"
)

// Field numbers of EdgeDevConfig and of the names of its parts.
const (
	fieldContexts  protowire.Number = 19
	fieldEnvelopes protowire.Number = 42
	fieldUUID      protowire.Number = 2 // of EvePatchEnvelope
)

// Marshal gives the binary form of a message; equal messages give equal bytes.
func Marshal(m proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("cannot encode %s: %w", kind(m), err)
	}
	return b, nil
}

// MarshalJSON gives the protojson of a message, indented, with a line end.
// protojson itself varies its white space, which is fixed here.
func MarshalJSON(m proto.Message) ([]byte, error) {
	b, err := protojson.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("cannot encode %s as JSON: %w", kind(m), err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return nil, fmt.Errorf("cannot encode %s as JSON: %w", kind(m), err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func kind(m proto.Message) string { return string(m.ProtoReflect().Descriptor().Name()) }

func messageSize(m proto.Message) int { return proto.Size(m) }

// listSize gives the bytes of all envelopes as compact protojson.
func listSize(config *evepb.EdgeDevConfig) (int, error) {
	b, err := protojson.Marshal(&evepb.EdgeDevConfig{PatchEnvelopes: config.GetPatchEnvelopes()})
	if err != nil {
		return 0, err
	}
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return 0, err
	}
	return out.Len() - len(`{"patchEnvelopes":}`), nil
}

// ReadConfig reads a device's configuration or a single envelope, as binary
// protobuf or as protojson. What it is shows in its content.
func ReadConfig(data []byte) (*evepb.EdgeDevConfig, error) {
	if isJSON(data) {
		return readJSON(data)
	}
	envelope, err := isEnvelope(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read envelopes: %w", err)
	}
	config := new(evepb.EdgeDevConfig)
	var m proto.Message = config
	if envelope {
		e := new(evepb.EvePatchEnvelope)
		config.PatchEnvelopes = append(config.PatchEnvelopes, e)
		m = e
	}
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("cannot read envelopes: the file is damaged, or no %s: %w", kind(m), err)
	}
	return config, nil
}

func isJSON(data []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) }

// errNoProtobuf is for files of another kind.
var errNoProtobuf = errors.New("the file is neither protobuf nor protojson")

// isEnvelope tells a single envelope from a configuration. Their fields differ:
// configurations have theirs at 19 and 42, where an envelope ends at 7, and an
// envelope has a UUID.
func isEnvelope(data []byte) (bool, error) {
	if len(data) == 0 {
		return false, errors.New("the file is empty")
	}
	uuid, config := false, false
	err := eachField(data, func(n protowire.Number, t protowire.Type, _, _ []byte) error {
		config = config || n > 7
		uuid = uuid || n == fieldUUID && t == protowire.BytesType
		return nil
	})
	return uuid && !config, err
}

// eachField walks over the fields of a message. raw is the whole field, value
// the content of a length-delimited one.
func eachField(data []byte, visit func(n protowire.Number, t protowire.Type, raw, value []byte) error) error {
	for len(data) > 0 {
		n, t, tag := protowire.ConsumeTag(data)
		if tag < 0 {
			return errNoProtobuf
		}
		size := protowire.ConsumeFieldValue(n, t, data[tag:])
		if size < 0 {
			return errNoProtobuf
		}
		var value []byte
		if t == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(data[tag:])
		}
		if err := visit(n, t, data[:tag+size], value); err != nil {
			return err
		}
		data = data[tag+size:]
	}
	return nil
}

func readJSON(data []byte) (*evepb.EdgeDevConfig, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil {
		return nil, fmt.Errorf("cannot read envelopes: the file is no JSON: %w", err)
	}
	config := new(evepb.EdgeDevConfig)
	var m proto.Message = config
	if _, ok := top["uuid"]; ok && top["patchEnvelopes"] == nil {
		e := new(evepb.EvePatchEnvelope)
		config.PatchEnvelopes = append(config.PatchEnvelopes, e)
		m = e
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("cannot read envelopes: the JSON is no %s: %w", kind(m), err)
	}
	return config, nil
}

// ReadContext reads a cipher context, as binary protobuf or as protojson.
func ReadContext(data []byte) (*evepb.CipherContext, error) {
	c := new(evepb.CipherContext)
	unmarshal := proto.Unmarshal
	if isJSON(data) {
		unmarshal = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal
	}
	if err := unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("cannot read cipher context: %w", err)
	}
	if c.GetContextId() == "" {
		return nil, errors.New("cannot read cipher context: it has no contextId")
	}
	return c, nil
}
