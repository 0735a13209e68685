package lang

import (
	"reflect"
	"testing"
)

func TestParseEnvFile(t *testing.T) {
	vars := map[string]string{"SITE": "hamburg"}
	for _, c := range []struct {
		src  string
		want map[string]any // nil for an error
	}{
		{"", map[string]any{}},
		{"# note\n\nA=1\nexport B = two words # note\r\n", map[string]any{"A": "1", "B": "two words"}},
		{"A='$SITE # x'\nB=\"a\\n\\\"$SITE\\\" \\$5\" # note", map[string]any{"A": "$SITE # x", "B": "a\n\"hamburg\" $5"}},
		{"A=${SITE}-${NONE:-x}\nA=$SITE\n", map[string]any{"A": "hamburg"}},
		{"A=\n", map[string]any{"A": ""}},
		{"\ufeffA=ä\n", map[string]any{"A": "ä"}},
		{"A\n", nil},
		{"1=2\n", nil},
		{"A=\"open\n", nil},
		{"A='a' b\n", nil},
		{"A=${\n", nil},
	} {
		got, err := parseEnvFile(c.src, vars)
		if c.want == nil && err == nil || c.want != nil && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %v, %v", c.src, got, err)
		}
	}
}
