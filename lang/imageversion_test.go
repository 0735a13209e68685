package lang

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestNewest(t *testing.T) {
	for _, c := range []struct{ constraint, tags, want string }{
		{"~> 3.2", "3.1.9 3.2.0 3.2.5 3.10.1 4.0.0", "3.10.1"},
		{"~> 3.2", "v3.2.0 v3.3.0", "v3.3.0"},
		{"~> 3.2", "3.1.0 4.0.0", ""},
		{"~> 3.2", "", ""},
		{"~> 3.2", "latest stable main 3e23e81 sha256-3e23.sig", ""},
		// One version in several spellings.
		{"~> 1.2", "v1.2.3 1.2.3", "1.2.3"},
		{"~> 1.2", "1.2.3 1.2.3_build5 1.2.3_build7", "1.2.3"},
		{"~> 1.2", "1.2.3_9 1.2.3_10 v1.2.3_10", "1.2.3_10"},
		{"~> 1.2", "1.2.3+9 1.2.3+10", "1.2.3+10"},
		{"~> 1.2", "1.02.3 1.2.3", "1.2.3"},
		// Floating tags.
		{"~> 3.2", "3 3.2 3.2.0 3.2.1 3.3 3.3.0", "3.3.0"},
		{"~> 3.2", "3 3.2 3.3", "3.3"},
		{"~> 3.2", "3.2.1 3.3", "3.3"},
		{"= 3.2.0", "3.2 3.2.1", ""},
		{">= 1.0", "20260102 1234567 7 v9", ""},
		{">= 1.0", "1.2.3.4 1.2.3.4-5", ""},
		{">= 2024.1", "2024.01 2024.10 2024.2", "2024.10"},
		// Prereleases.
		{"~> 3.2", "3.2.0 3.3.0-rc.1 3.2.5-alpine", "3.2.0"},
		{"~> 3.3.0-rc.1", "3.2.0 3.3.0-rc.1 3.3.0-rc.2 3.3.0-beta", "3.3.0-rc.2"},
		{"~> 3.3.0-rc.1", "3.3.0-rc.9 3.3.0-rc.10 3.3.0", "3.3.0"},
		// Hostile ones.
		{">= 1.0", "99999999999999999999.1.1 1.0.0", "1.0.0"},
		{">= 1.0", "1.0.0-" + strings.Repeat("a", 200) + " 1.0.0", "1.0.0"},
		{">= 1.0", "1.0.0\n 2.0.0/../x 1.0.1", "1.0.1"},
	} {
		con, err := ParseConstraint(c.constraint)
		if err != nil {
			t.Fatal(err)
		}
		tags := strings.Split(c.tags, " ")
		for range 5 {
			rand.Shuffle(len(tags), func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
			if got := con.Newest(tags); got != c.want {
				t.Errorf("%q of %q: %q, want %q", c.constraint, tags, got, c.want)
			}
		}
		if c.want != "" && !con.Allows(c.want) {
			t.Errorf("%q does not allow %q", c.constraint, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	tags := strings.Split("latest 1.0.0 2.0.0 3.0.0 3.1.0 3.2.0-rc.1 4.0.0 4.1.0 4.2.0 5.0.0", " ")
	for _, c := range []struct{ constraint, want string }{
		{"~> 3.2", "3.0.0 3.1.0 3.2.0-rc.1 4.0.0 4.1.0 4.2.0"},
		{"> 9", "4.1.0 4.2.0 5.0.0"},
		{"< 0.1", "1.0.0 2.0.0 3.0.0"},
	} {
		con, err := ParseConstraint(c.constraint)
		if err != nil {
			t.Fatal(err)
		}
		if got := con.Nearest(tags); !slices.Equal(got, strings.Split(c.want, " ")) {
			t.Errorf("%q: %q", c.constraint, got)
		}
	}
}
