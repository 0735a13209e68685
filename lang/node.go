package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A node is one addressable thing of a scope: a variable, a local value, an
// image, an image set, a root definition, a site, a module, an output, or the
// settings.
type node struct {
	name   string    // unique in the scope, as references write it
	addr   string    // unique in the project: the modules' names and the name
	header hcl.Range // where it is declared
	refs   []hcl.Traversal
	decl   declaration

	state nodeState
	value cty.Value // what references to the node give; unknown until evaluated, and after errors
	edges []edge    // its dependencies, each once
}

// A declaration evaluates a node. All that the node refers to has been
// evaluated before. The value is what references to the node give; a node that
// cannot be evaluated gives cty.DynamicVal, so that its users stay silent.
type declaration interface {
	evaluate(f *frame) cty.Value
}

type nodeState int

const (
	waiting nodeState = iota
	active            // on the stack of the evaluation
	done
)

// An edge leads to a dependency; rng is the reference.
type edge struct {
	to  *node
	rng hcl.Range
}
