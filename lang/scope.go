package lang

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A scope is one module: its nodes by name, and what they evaluate to. A
// project's files are the root scope.
type scope struct {
	*results
	project *project
	folder  *folder
	call    *moduleCall // nil in the root scope
	prefix  string      // of the nodes' addresses; empty in the root scope
	nodes   map[string]*node
	inputs  map[string][]input // values for the variables, the winning one last
	stack   []edge             // the evaluation under way

	settings Settings
	vars     map[string]*Variable
	outputs  map[string]cty.Value
}

// results are what all scopes of a project have made, by node address.
type results struct {
	scopes    []*scope
	images    map[string]*Image // complete ones
	sets      map[string]*ImageSet
	rootDefs  map[string]*rootDecl
	sites     []*Site
	envelopes map[string]*Envelope
}

func newResults() *results {
	return &results{
		images:    make(map[string]*Image),
		sets:      make(map[string]*ImageSet),
		rootDefs:  make(map[string]*rootDecl),
		envelopes: make(map[string]*Envelope),
	}
}

func newScope(p *project, r *results, f *folder, call *moduleCall) *scope {
	s := &scope{
		results:  r,
		project:  p,
		folder:   f,
		call:     call,
		nodes:    make(map[string]*node),
		inputs:   make(map[string][]input),
		settings: Settings{Engine: Engine{Compression: defaultCompression}},
		vars:     make(map[string]*Variable),
		outputs:  make(map[string]cty.Value),
	}
	if call != nil {
		s.prefix = call.addr + "."
	}
	r.scopes = append(r.scopes, s)
	for _, b := range f.blocks {
		s.declare(b)
	}
	return s
}

// declare makes the nodes of a top-level block.
func (s *scope) declare(b *block) {
	switch b.kind {
	case "locals":
		s.declareLocals(b)
	case "variable":
		if s.checkIdentifier(b) {
			s.declareVariable(b)
		}
	case "image_set":
		s.declareImageSet(b)
	case "root_definition":
		if s.checkIdentifier(b) {
			s.add("root_definition."+b.name(), b, &rootDecl{block: b})
		}
	case "module":
		if s.checkIdentifier(b) {
			s.declareModule(b)
		}
	case "output":
		if s.checkIdentifier(b) {
			s.add("output."+b.name(), b, &outputDecl{block: b})
		}
	case "envelope":
		if s.checkIdentifier(b) {
			s.add("envelope."+b.name(), b, &envelopeDecl{block: b})
		}
	case "site":
		s.add("site."+b.name(), b, &siteDecl{block: b})
	case "flotobuild":
		s.add("flotobuild", b, &settingsDecl{block: b})
	}
}

// declareVariable makes the node of a variable. Only its validations refer to
// others: the rest must be known before everything else.
func (s *scope) declareVariable(b *block) {
	n := s.add("var."+b.name(), b, &variableDecl{block: b})
	if n == nil {
		return
	}
	n.refs = nil
	for _, c := range b.blocks {
		n.refs = append(n.refs, c.references()...)
	}
}

func (s *scope) declareLocals(b *block) {
	for _, a := range b.sortedAttrs() {
		s.addNode(&node{
			name:   "local." + a.Name,
			header: a.NameRange,
			refs:   a.Expr.Variables(),
			decl:   &localDecl{attr: a},
		}, &block{kind: "local value", labels: []string{a.Name}, header: a.NameRange})
	}
}

func (s *scope) declareImageSet(b *block) {
	if !s.checkIdentifier(b) {
		return
	}
	name := "image_set." + b.name()
	set := &imageSetDecl{block: b}
	n := s.add(name, b, set)
	if n == nil {
		return
	}
	n.refs = nil
	for _, ib := range b.blocks {
		im := s.add(name+".image."+ib.name(), ib, &imageDecl{set: b.name(), block: ib})
		if im != nil {
			set.members = append(set.members, im)
			n.edges = append(n.edges, edge{to: im, rng: ib.header})
		}
	}
}

// checkIdentifier checks a label that references write with a dot.
func (s *scope) checkIdentifier(b *block) bool {
	if hclsyntax.ValidIdentifier(b.name()) {
		return true
	}
	s.project.report(failure(b.header, "Invalid name",
		"%q cannot be a label of a block %s, because references could not write it: it must begin with a letter and hold letters, digits, - and _ only.", b.name(), b.kind))
	return false
}

// add makes the node of a block. It returns nil where the name is taken.
func (s *scope) add(name string, b *block, d declaration) *node {
	return s.addNode(&node{name: name, header: b.header, refs: b.references(), decl: d}, b)
}

func (s *scope) addNode(n *node, b *block) *node {
	if prev := s.nodes[n.name]; prev != nil {
		s.project.report(duplicateBlock(b, &block{header: prev.header}))
		return nil
	}
	n.value = cty.DynamicVal
	n.addr = s.prefix + n.name
	s.nodes[n.name] = n
	return n
}

// evaluateAll evaluates every node, each after what it refers to.
func (s *scope) evaluateAll() {
	nodes := make([]*node, 0, len(s.nodes))
	for _, n := range s.nodes {
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b *node) int {
		return cmp.Or(compareRanges(a.header, b.header), cmp.Compare(a.addr, b.addr))
	})
	for _, n := range nodes {
		s.evaluate(n, n.header)
	}
}

func (s *scope) evaluate(n *node, from hcl.Range) {
	switch n.state {
	case done:
		return
	case active:
		s.reportCycle(n, from)
		return
	}
	n.state = active
	s.stack = append(s.stack, edge{to: n, rng: from})
	f := s.newFrame(n)
	for _, e := range n.edges {
		s.evaluate(e.to, e.rng)
	}
	f.bind(n.edges)
	n.value = n.decl.evaluate(f)
	if d := s.project.meter.settle(n); d != nil {
		f.report(d)
		n.value = cty.DynamicVal
	}
	f.finish(n.addr)
	s.project.report(f.diags...)
	s.stack = s.stack[:len(s.stack)-1]
	n.state = done
}
