package planner

import (
	"fmt"
	"slices"

	"github.com/containerd/platforms"
)

// normalizePlatforms returns the platforms in their normal form, sorted, each
// once; the fallback alone where there are none.
func normalizePlatforms(in []string, fallback string) ([]string, error) {
	if len(in) == 0 {
		in = []string{fallback}
	}
	var out []string
	for _, s := range in {
		p, err := normalizePlatform(s)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func normalizePlatform(s string) (string, error) {
	p, err := platforms.Parse(s)
	if err != nil {
		return "", fmt.Errorf("cannot parse platform %q: %w", s, err)
	}
	return platforms.FormatAll(platforms.Normalize(p)), nil
}
