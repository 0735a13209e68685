// Package strictjson refuses JSON that readers understand differently: objects
// in which a key stands twice, and data behind the value.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// maxDepth bounds the nesting of values.
const maxDepth = 32

// CheckKeys refuses b when a key stands twice in an object, in whatever case,
// when something follows the first value, and when values are nested deeply.
// free are the keys of objects whose own keys are data, so that they may differ
// in case alone.
func CheckKeys(b []byte, free map[string]bool) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := checkValue(dec, 0, false, free); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// addKey notes a key. encoding/json takes keys for a field in any case.
func addKey(keys map[string]string, name string, data bool) error {
	folded := name
	if !data {
		folded = strings.Map(fold, name)
	}
	switch other, ok := keys[folded]; {
	case ok && other == name:
		return fmt.Errorf("key %q stands twice", name)
	case ok:
		return fmt.Errorf("keys %q and %q differ in case alone", other, name)
	}
	keys[folded] = name
	return nil
}

// fold gives the least of the characters that are equal but for case, as
// strings.EqualFold takes them.
func fold(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

// checkValue checks a value; data says that its keys may differ in case alone.
func checkValue(dec *json.Decoder, depth int, data bool, free map[string]bool) error {
	t, err := dec.Token()
	if err != nil {
		return unexpected(err)
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	keys := make(map[string]string)
	name := ""
	for dec.More() {
		if open == '{' {
			k, err := dec.Token()
			if err != nil {
				return unexpected(err)
			}
			name, _ = k.(string)
			if err := addKey(keys, name, data); err != nil {
				return err
			}
		}
		if err := checkValue(dec, depth+1, open == '{' && free[name], free); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return unexpected(err)
}

// unexpected makes the end of the data an error in the middle of a value.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
