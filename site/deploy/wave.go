package deploy

import (
	"fmt"
	"maps"
	"slices"
)

// waves puts containers in an order in which each comes after those that it
// needs: the n-th wave has those that need one of the wave before. What is not
// among the containers is there, or is not wanted.
func waves(needs map[string][]string) ([][]string, error) {
	level := make(map[string]int)
	const open = -1
	var visit func(name string) (int, error)
	visit = func(name string) (int, error) {
		if n, seen := level[name]; seen {
			if n == open {
				return 0, fmt.Errorf("container %q depends on itself", name)
			}
			return n, nil
		}
		level[name] = open
		own := 0
		for _, other := range needs[name] {
			if _, ok := needs[other]; !ok {
				continue
			}
			n, err := visit(other)
			if err != nil {
				return 0, err
			}
			own = max(own, n+1)
		}
		level[name] = own
		return own, nil
	}
	var out [][]string
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		n, err := visit(name)
		if err != nil {
			return nil, err
		}
		for len(out) <= n {
			out = append(out, nil)
		}
		out[n] = append(out[n], name)
	}
	return out, nil
}
