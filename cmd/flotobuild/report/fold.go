package report

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/flotobuild/flotobuild/planner"
)

// mostAlike is how many sites that are told the same are told each.
const mostAlike = 3

// fold joins sites that differ in nothing but their names, parents and the
// exact size of their patch, where there are many. Sites stay in order, a joined
// one at the place of its first.
func fold(sites []*Site) []*Site {
	groups := make(map[[sha256.Size]byte][]*Site)
	keys := make([][sha256.Size]byte, len(sites))
	for n, s := range sites {
		keys[n] = s.key()
		groups[keys[n]] = append(groups[keys[n]], s)
	}
	var out []*Site
	for n, s := range sites {
		group := groups[keys[n]]
		switch {
		case len(group) <= mostAlike:
			out = append(out, s)
		case group[0] == s:
			out = append(out, join(group))
		}
	}
	return out
}

// key is equal for sites that may be joined.
func (s *Site) key() [sha256.Size]byte {
	c := *s
	// Parents that are told apart make sites different.
	var lacks []string
	for _, p := range s.Members[0].Parents {
		lacks = append(lacks, p.Lacks)
	}
	bare := slices.ContainsFunc(s.Members[0].Parents, func(p Parent) bool { return p.Bare })
	c.Members = nil
	if s.Exact {
		c.Size = ""
	}
	b, err := json.Marshal(struct {
		Site  Site
		Lacks []string
		Bare  bool
	}{c, lacks, bare})
	if err != nil {
		panic(err) // structs of strings and numbers
	}
	return sha256.Sum256(b)
}

// join makes one of sites that are told the same.
func join(group []*Site) *Site {
	out := *group[0]
	out.Members = nil
	for _, s := range group {
		out.Members = append(out.Members, s.Members...)
	}
	low, high := out.Members[0].Bytes, out.Members[0].Bytes
	for _, m := range out.Members {
		low, high = min(low, m.Bytes), max(high, m.Bytes)
	}
	if out.Exact && out.Change != planner.ChangeNone && low != high {
		out.Size = fmt.Sprintf("%d to %d bytes each", low, high)
	}
	return &out
}
