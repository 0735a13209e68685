package patch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// unknown keeps what newer tools wrote into a description and this package has
// no field for, so that whoever reads and writes it again loses nothing.
type unknown struct {
	members []member            // of this object, in their order
	below   map[string]*unknown // by key, or by the identity of a list's element
}

// A member is a key of an object with its value.
type member struct {
	name  string
	value json.RawMessage
}

// identities are the keys that tell the elements of a list apart: an element
// that moves, or whose neighbours go, keeps what is unknown of it.
var identities = map[reflect.Type][]string{
	reflect.TypeFor[Image]():          {"name", "address"},
	reflect.TypeFor[Manifest]():       {"platform"},
	reflect.TypeFor[Layer]():          {"diffId"},
	reflect.TypeFor[CacheRef]():       {"platform", "digest"},
	reflect.TypeFor[Content]():        {"path"},
	reflect.TypeFor[ParentRef]():      {"descriptionDigest"},
	reflect.TypeFor[RemovedImage]():   {"name"},
	reflect.TypeFor[LayerTransport](): {"diffId"},
}

// unknownIn finds what a value of type t has no field for; nil for nothing. raw
// has been decoded into t before, so that its shape is right.
func unknownIn(t reflect.Type, raw json.RawMessage) (*unknown, error) {
	u := &unknown{below: make(map[string]*unknown)}
	err := descend(t, raw, func(key string, t reflect.Type, value json.RawMessage) error {
		if t == nil {
			u.members = append(u.members, member{key, bytes.ToValidUTF8(value, []byte("\ufffd"))})
			return nil
		}
		b, err := unknownIn(t, value)
		if b != nil {
			u.below[key] = b
		}
		return err
	})
	if err != nil || len(u.members)+len(u.below) == 0 {
		return nil, err
	}
	return u, nil
}

// descend calls visit for the parts of an object or a list that may hold
// objects, and with a nil type for the members of an object that t has no field
// for.
func descend(t reflect.Type, raw json.RawMessage, visit func(string, reflect.Type, json.RawMessage) error) error {
	if raw[0] != '{' && raw[0] != '[' {
		return nil // null
	}
	switch t = inner(t); {
	case t.Kind() == reflect.Slice && holdsObjects(t.Elem()):
		keys := make(map[string]int)
		return elements(raw, func(e json.RawMessage) error {
			key, err := identity(t.Elem(), e, keys)
			if err != nil {
				return err
			}
			return visit(key, t.Elem(), e)
		})
	case t.Kind() == reflect.Struct && holdsObjects(t):
		known := fields(t)
		members, err := membersOf(raw)
		if err != nil {
			return err
		}
		for _, m := range members {
			name, of := known.find(m.name)
			if of == nil || holdsObjects(of) {
				if err := visit(name, of, m.value); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// inner takes pointers off a type.
func inner(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// holdsObjects says whether unknown members can stand in values of type t.
// Types with a JSON form of their own have none, and the keys of maps are data.
func holdsObjects(t reflect.Type) bool {
	t = inner(t)
	if t.Kind() == reflect.Slice {
		return holdsObjects(t.Elem())
	}
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

// fieldTypes are the fields of a struct by their key.
type fieldTypes map[string]reflect.Type

func fields(t reflect.Type) fieldTypes {
	out := make(fieldTypes)
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if t.Field(i).IsExported() && name != "" {
			out[name] = t.Field(i).Type
		}
	}
	return out
}

// find gives the field that encoding/json takes a key for, in whatever case,
// with its true name; nil and the key where there is none.
func (f fieldTypes) find(key string) (string, reflect.Type) {
	if t := f[key]; t != nil {
		return key, t
	}
	for name, t := range f {
		if strings.EqualFold(name, key) {
			return name, t
		}
	}
	return key, nil
}

// membersOf gives the members of an object in their order.
func membersOf(raw json.RawMessage) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	var out []member
	for _, err := dec.Token(); dec.More(); {
		if err != nil {
			return nil, err
		}
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		m := member{}
		m.name, _ = key.(string)
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// elements calls visit for each element of a list.
func elements(raw json.RawMessage, visit func(json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	for _, err := dec.Token(); dec.More(); {
		if err != nil {
			return err
		}
		var e json.RawMessage
		if err := dec.Decode(&e); err != nil {
			return err
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

// identity gives an element's key. Equal elements are counted in seen.
func identity(t reflect.Type, raw json.RawMessage, seen map[string]int) (string, error) {
	var key strings.Builder
	if names := identities[inner(t)]; names != nil && raw[0] == '{' {
		var all map[string]json.RawMessage
		if err := json.Unmarshal(raw, &all); err != nil {
			return "", err
		}
		for _, n := range names {
			fmt.Fprintf(&key, "%s ", all[n])
		}
	}
	seen[key.String()]++
	fmt.Fprintf(&key, "%d", seen[key.String()])
	return key.String(), nil
}

// insert puts unknown members back into the encoded form of a value of type t:
// behind those that are known, in their order.
func (u *unknown) insert(t reflect.Type, raw json.RawMessage) (json.RawMessage, error) {
	if u == nil || raw[0] != '{' && raw[0] != '[' {
		return raw, nil
	}
	if raw[0] == '[' {
		return u.insertList(inner(t), raw)
	}
	members, err := membersOf(raw)
	if err != nil {
		return nil, err
	}
	known := fields(inner(t))
	for i, m := range members {
		if members[i].value, err = u.below[m.name].insert(known[m.name], m.value); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range append(members, u.members...) {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := encodeKey(m.name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (u *unknown) insertList(t reflect.Type, raw json.RawMessage) (json.RawMessage, error) {
	var b bytes.Buffer
	seen := make(map[string]int)
	err := elements(raw, func(e json.RawMessage) error {
		key, err := identity(t.Elem(), e, seen)
		if err != nil {
			return err
		}
		if e, err = u.below[key].insert(t.Elem(), e); err != nil {
			return err
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.Write(e)
		return nil
	})
	return append(append(json.RawMessage{'['}, b.Bytes()...), ']'), err
}

// encodeKey encodes a string as Encode does it.
func encodeKey(s string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
