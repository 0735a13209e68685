package envelope

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/flotobuild/flotobuild/envelope/evepb"
)

func field(n protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), value)
}

// A configuration with fields that the package does not know, inside envelopes
// too, in an unusual order: every other byte stays in its place.
func TestMerge(t *testing.T) {
	marshal := func(m proto.Message) []byte {
		b, err := Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	head := field(1, []byte("identity"))
	other := field(42, append(marshal(&evepb.EvePatchEnvelope{Uuid: testApp, DisplayName: "other"}), field(99, []byte("unknown"))...))
	old := field(42, marshal(&evepb.EvePatchEnvelope{Uuid: strings.ToUpper(testUUID), DisplayName: "old"}))
	middle := protowire.AppendVarint(protowire.AppendTag(nil, 77, protowire.VarintType), 5)
	context := field(19, marshal(&evepb.CipherContext{ContextId: "c", DeviceCertHash: []byte{1}}))
	tail := field(3, []byte("tail"))
	config := bytes.Join([][]byte{head, other, old, middle, context, old, tail}, nil)

	now := &evepb.EvePatchEnvelope{Uuid: testUUID, DisplayName: "new"}
	add := &evepb.EdgeDevConfig{PatchEnvelopes: []*evepb.EvePatchEnvelope{now}, CipherContexts: []*evepb.CipherContext{{ContextId: "c"}, {ContextId: "d"}}}
	got, err := Merge(config, add)
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Join([][]byte{
		head, other, field(42, marshal(now)), middle, field(19, marshal(add.CipherContexts[0])), tail,
		field(19, marshal(add.CipherContexts[1])),
	}, nil)
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	again, err := Merge(got, add)
	if err != nil || !bytes.Equal(again, got) {
		t.Errorf("a second time: %x, %v", again, err)
	}
	if empty, err := Merge(nil, add); err != nil || len(empty) == 0 {
		t.Errorf("into nothing: %x, %v", empty, err)
	}
	for name, c := range map[string]struct {
		config []byte
		add    *evepb.EdgeDevConfig
		want   string
	}{
		"JSON":      {[]byte(`{"id":{}}`), add, "only the binary form"},
		"truncated": {config[:len(config)-1], add, "neither protobuf nor protojson"},
		"damaged":   {field(42, []byte{0xff}), add, "an envelope in it is damaged"},
		"no id":     {config, &evepb.EdgeDevConfig{PatchEnvelopes: []*evepb.EvePatchEnvelope{{}}}, "has no id"},
		"twice":     {config, &evepb.EdgeDevConfig{PatchEnvelopes: []*evepb.EvePatchEnvelope{now, now}}, "twice"},
	} {
		if b, err := Merge(c.config, c.add); err == nil || b != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
}

// Everything that is written is read again, in both forms.
func TestReadConfig(t *testing.T) {
	config := sealedConfig(t, everyKind())
	for _, m := range []proto.Message{config, config.PatchEnvelopes[0]} {
		for _, encode := range []func(proto.Message) ([]byte, error){Marshal, MarshalJSON} {
			b, err := encode(m)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ReadConfig(b)
			if err != nil || !proto.Equal(got.GetPatchEnvelopes()[0], config.PatchEnvelopes[0]) {
				t.Errorf("%T: %v", m, err)
			}
		}
	}
	for name, c := range map[string]struct{ data, want string }{
		"empty":     {"", "the file is empty"},
		"text":      {"hello world, this is no protobuf", "neither protobuf nor protojson"},
		"no JSON":   {"{", "no JSON"},
		"bad JSON":  {`{"patchEnvelopes": 7}`, "no EdgeDevConfig"},
		"truncated": {"\xd2\x02\x05\x12", "neither protobuf"},
	} {
		if _, err := ReadConfig([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, encode := range []func(proto.Message) ([]byte, error){Marshal, MarshalJSON} {
		b, err := encode(config.CipherContexts[0])
		if err != nil {
			t.Fatal(err)
		}
		if c, err := ReadContext(b); err != nil || !proto.Equal(c, config.CipherContexts[0]) {
			t.Errorf("context: %v", err)
		}
	}
	if _, err := ReadContext(nil); err == nil {
		t.Error("an empty context was read")
	}
}

func TestDigest(t *testing.T) {
	digest := func(key string, change func(*Definition)) string {
		d := everyKind()
		change(d)
		b, err := d.Digest([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	same := digest("k", func(*Definition) {})
	if digest("k", func(d *Definition) { d.Created = d.Created.Add(1) }) != same {
		t.Error("the date counts")
	}
	for name, got := range map[string]string{
		"key":       digest("l", func(*Definition) {}),
		"content":   digest("k", func(d *Definition) { d.Blobs[1].Content[0]++ }),
		"apps":      digest("k", func(d *Definition) { d.Apps = nil }),
		"encrypted": digest("k", func(d *Definition) { d.Blobs[0].Encrypt = true }),
		"volume":    digest("k", func(d *Definition) { d.Blobs[2].Volume.Image = "x" }),
	} {
		if got == same {
			t.Errorf("%s does not count", name)
		}
	}
}
