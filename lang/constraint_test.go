package lang

import (
	"testing"

	"github.com/Masterminds/semver/v3"
)

func TestParseConstraint(t *testing.T) {
	for _, c := range []struct {
		constraint, version string
		want                bool
	}{
		{"~> 3.2", "3.2.0", true},
		{"~> 3.2", "3.99.0", true},
		{"~> 3.2", "3.1.9", false},
		{"~> 3.2", "4.0.0", false},
		{"~> 3.2.1", "3.2.9", true},
		{"~> 3.2.1", "3.2.0", false},
		{"~> 3.2.1", "3.3.0", false},
		{"~>v3.2.1", "3.2.1", true},
		{"~> 0.1", "0.9.0", true},
		{"~> 3.2, != 3.2.5", "3.2.5", false},
		{"~> 1.0 || ~> 3.0", "3.5.0", true},
		{"~> 1.0 || ~> 3.0", "2.5.0", false},
		{"~> 3.2.1-beta.1", "3.2.1-beta.2", true},
		{"~> 3.2.1-beta.1", "3.2.5", true},
		{"~> 3.2", "3.3.0-rc.1", false},
		{">= 1.2, < 2", "1.9.9", true},
		{"~1.2", "1.2.9", true},
		{"^1.2", "1.9.0", true},
	} {
		got, err := parseConstraint(c.constraint)
		if err != nil {
			t.Errorf("%q: %v", c.constraint, err)
			continue
		}
		if ok := got.Check(semver.MustParse(c.version)); ok != c.want {
			t.Errorf("%q and %s: %v", c.constraint, c.version, ok)
		}
	}
	for _, bad := range []string{"", "~> 3", "~>", "~> x", "~> 1.2.3.4", "~> 99999999999999999999.1", "a"} {
		if _, err := parseConstraint(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
