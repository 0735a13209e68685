package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"
)

// userCalls are the calls in the results of user functions. They are checked
// before anybody calls the functions, so that mistakes show in those, too, that
// nobody calls.
type userCalls struct {
	project *project
	of      map[string][]*hclsyntax.FunctionCallExpr // by the calling function
	state   map[string]nodeState
	stack   []string
	broken  map[string]bool
}

// checkCalls reports calls of functions that there are not, and functions that
// call themselves. It gives the functions that cannot be called therefore.
func (p *project) checkCalls(funcs []*userFunction, known map[string]function.Function) map[string]bool {
	c := &userCalls{project: p, of: make(map[string][]*hclsyntax.FunctionCallExpr), state: make(map[string]nodeState), broken: make(map[string]bool)}
	for _, u := range funcs {
		c.of[u.name] = callsIn(u.result)
		for _, call := range c.of[u.name] {
			if !isBuiltin(known, call.Name) {
				c.broken[u.name] = true
				p.report(failure(call.NameRange, "Call to unknown function", "There is no function named %q.%s", call.Name, didYouMean(call.Name, slices.Collect(maps.Keys(known)))))
			}
		}
	}
	for _, u := range funcs {
		if c.state[u.name] == waiting {
			c.visit(u.name)
		}
	}
	return c.broken
}

// visit looks for calls that lead back to a function on the way to this one.
func (c *userCalls) visit(name string) {
	c.state[name] = active
	c.stack = append(c.stack, name)
	for _, call := range c.of[name] {
		switch callee := call.Name; {
		case c.of[callee] == nil || c.state[callee] == done:
		case c.state[callee] == waiting:
			c.visit(callee)
		case !c.broken[callee]:
			c.reportCycle(c.stack[slices.Index(c.stack, callee):], call.NameRange)
		}
	}
	c.stack = c.stack[:len(c.stack)-1]
	c.state[name] = done
}

func (c *userCalls) reportCycle(cycle []string, at hcl.Range) {
	c.project.report(failure(at, "Function recursion", "The function calls itself, and such calls have no end: %s. Remove one of the calls.",
		strings.Join(append(slices.Clone(cycle), cycle[0]), " -> ")))
	for _, name := range cycle {
		c.broken[name] = true
	}
}

// callsIn lists the function calls in an expression, in the order of the source.
func callsIn(expr hcl.Expression) []*hclsyntax.FunctionCallExpr {
	if e, ok := expr.(*jsonExpression); ok {
		expr = e.parsed()
	}
	var out []*hclsyntax.FunctionCallExpr
	if root, ok := expr.(hclsyntax.Node); ok {
		_ = hclsyntax.VisitAll(root, func(n hclsyntax.Node) hcl.Diagnostics {
			if e, ok := n.(hcl.Expression); ok {
				call, _ := bare(e).(*hclsyntax.FunctionCallExpr)
				if call != nil {
					out = append(out, call)
				}
			}
			return nil
		})
	}
	return out
}

// bare takes the meter off an expression.
func bare(expr hcl.Expression) hcl.Expression {
	switch e := expr.(type) {
	case metered:
		return bare(e.Expression)
	case choice:
		return bare(e.Expression)
	}
	return expr
}
