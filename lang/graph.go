package lang

import (
	"cmp"
	"slices"
)

// A GraphNode is something that the configuration declares, and what it refers
// to.
type GraphNode struct {
	Address    string   // such as image_set.plant.image.web or module.line.local.port
	References []string // addresses, sorted
}

// Graph is the dependency graph of the configuration, sorted by address. Blocks
// with for_each are one node; a module's nodes stand beside its own.
type Graph []GraphNode

// graph collects the nodes of all scopes. Instances of one module block are the
// same, so that only the first is taken.
func (r *results) graph() Graph {
	seen := make(map[string]bool)
	var out Graph
	for _, s := range r.scopes {
		for _, n := range s.nodes {
			addr := s.blockAddress(n.name)
			if seen[addr] {
				continue
			}
			seen[addr] = true
			g := GraphNode{Address: addr}
			for _, e := range n.edges {
				g.References = append(g.References, s.blockAddress(e.to.name))
			}
			slices.Sort(g.References)
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b GraphNode) int { return cmp.Compare(a.Address, b.Address) })
	return out
}

// blockAddress is the address of a node without the keys of instances.
func (s *scope) blockAddress(name string) string {
	if s.call == nil {
		return name
	}
	return s.call.outer.blockAddress(s.call.name) + "." + name
}
