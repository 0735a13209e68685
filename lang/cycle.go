package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// reportCycle reports that the reference at rng leads back to a node that is
// being evaluated. The stack holds the way from there to here.
func (s *scope) reportCycle(n *node, rng hcl.Range) {
	start := 0
	for i, e := range s.stack {
		if e.to == n {
			start = i
		}
	}
	way := append(s.stack[start:len(s.stack):len(s.stack)], edge{to: n, rng: rng})
	var names, lines []string
	for i, e := range way {
		names = append(names, e.to.addr)
		if i > 0 {
			lines = append(lines, fmt.Sprintf("  %s: %s refers to %s", place(e.rng), way[i-1].to.addr, e.to.addr))
		}
	}
	s.project.report(failure(rng, "Dependency cycle",
		"These depend on each other: %s.\n%s\nRemove one of the references.",
		strings.Join(names, " -> "), strings.Join(lines, "\n")))
}
