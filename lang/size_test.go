package lang

import (
	"strings"
	"testing"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"4.7GB": 4_700_000_000, "4.7 gb": 4_700_000_000, "1kB": 1000, "1KB": 1000, "650MiB": 650 << 20,
		"1.5KiB": 1536, "2TB": 2e12, "1TiB": 1 << 40, "1": 1, "700B": 700, "0.000000001GB": 1,
		"9223372036854775807": 1<<63 - 1,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "no size", "GB": "no size", "4,7GB": "no size", "-1GB": "no size", "1e9": "no size", " 1GB": "no size", "1 GB ": "no size",
		"0": "more than nothing", "0.0GB": "more than nothing", "1.5B": "whole number", "4.7GX": "no unit", "1PB": "no unit",
		"9223372036854775808": "larger than any file", "9999999999TB": "larger than any file", "99999999999999999999": "no size",
	} {
		if got, err := ParseSize(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}
