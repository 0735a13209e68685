package strictjson

import (
	"strings"
	"testing"
)

func TestCheckKeys(t *testing.T) {
	free := map[string]bool{"names": true}
	for text, want := range map[string]string{
		`{"a": 1, "b": {"a": [1, {"a": null}]}}`: "",
		`{"names": {"a": 1, "A": 2}}`:            "",
		`{"a": 1, "a": 2}`:                       `key "a" stands twice`,
		`{"a": [{"b": 1, "b": 1}]}`:              `key "b" stands twice`,
		`{"names": {"a": 1, "a": 2}}`:            `key "a" stands twice`,
		`{"key": 1, "\u212aey": 2}`:              "differ in case alone",
		`{"a": 1} {}`:                            "something follows",
		`{"a": `:                                 "unexpected EOF",
		"":                                       "unexpected EOF",
		strings.Repeat("[", 40):                  "nested more than",
	} {
		err := CheckKeys([]byte(text), free)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
