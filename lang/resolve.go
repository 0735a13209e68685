package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// rootReferences are what references in configuration files begin with.
var rootReferences = []string{"var", "local", "image_set", "root_definition", "envelope", "module", "each", "git", "path", "site"}

var (
	gitNames  = []string{"describe", "commit", "timestamp", "dirty"}
	pathNames = []string{"root", "module"}
	siteNames = []string{"name"}
)

// resolve finds the node that a reference from n names. Names without a node,
// such as path.root, give neither a node nor a diagnostic.
func (s *scope) resolve(t hcl.Traversal, n *node) (*node, *hcl.Diagnostic) {
	root := t.RootName()
	switch root {
	case "var":
		return s.resolveNamed(t, n, "var", "variable", "Declare it with: variable %q {}.")
	case "local":
		return s.resolveNamed(t, n, "local", "local value", "Declare it in a block locals: %s = ….")
	case "root_definition":
		return s.resolveNamed(t, n, "root_definition", "root definition", "Declare it with: root_definition %q { … }.")
	case "envelope":
		return s.resolveNamed(t, n, "envelope", "envelope", "Declare it with: envelope %q { … }.")
	case "image_set":
		return s.resolveImage(t)
	case "module":
		return s.resolveModule(t, n)
	case "each":
		return nil, checkEach(t, n)
	case "git":
		if d := checkMember(t, gitNames); d != nil {
			return nil, d
		}
		return nil, s.project.loadGit(t.SourceRange())
	case "path":
		return nil, checkMember(t, pathNames)
	case "site":
		if _, ok := n.decl.(*siteDecl); !ok {
			return nil, failure(t.SourceRange(), "Invalid reference", "site is the site itself, and known within its own block and in root definition files only.")
		}
		return nil, checkMember(t, siteNames)
	}
	return nil, s.unknownRoot(t)
}

func (s *scope) unknownRoot(t hcl.Traversal) *hcl.Diagnostic {
	root := t.RootName()
	return failure(t.SourceRange(), "Unknown reference",
		"Nothing is called %q.%s", root, didYouMeanOr(root, rootReferences, "References begin with %s; a string stands in quotes.", strings.Join(rootReferences, ", ")))
}

// resolveNamed resolves KIND.NAME.
func (s *scope) resolveNamed(t hcl.Traversal, n *node, prefix, title, remedy string) (*node, *hcl.Diagnostic) {
	name, ok := step(t, 1)
	if !ok {
		return nil, failure(t.SourceRange(), "Invalid reference", "%q must be followed by a dot and the name of %s.", prefix, withArticle(title))
	}
	if v, ok := n.decl.(*variableDecl); ok && prefix == "var" && v.block.name() == name {
		return nil, nil // a validation refers to its own variable
	}
	if dep := s.nodes[prefix+"."+name]; dep != nil {
		return dep, nil
	}
	return nil, failure(t.SourceRange(), "Unknown reference",
		"There is no %s %q.%s", title, name, didYouMeanOr(name, s.names(prefix+"."), remedy, name))
}

// checkEach lets each.key and each.value pass where there is for_each.
func checkEach(t hcl.Traversal, n *node) *hcl.Diagnostic {
	if !knowsEach(n.decl) {
		return failure(t.SourceRange(), "Invalid reference", "each is known in blocks with for_each only. Add for_each = … to the block, or use something else.")
	}
	return checkMember(t, eachNames)
}

// knowsEach says that a block has instances, or has blocks that have some.
func knowsEach(d declaration) bool {
	if e, ok := d.(interface{ knowsEach() bool }); ok {
		return e.knowsEach()
	}
	b, ok := d.(interface{ repeats() bool })
	return ok && b.repeats()
}

// resolveImage resolves image_set.SET and image_set.SET.image.NAME.
func (s *scope) resolveImage(t hcl.Traversal) (*node, *hcl.Diagnostic) {
	set, ok := step(t, 1)
	if !ok {
		return nil, failure(t.SourceRange(), "Invalid reference", `"image_set" must be followed by a dot and the name of an image set.`)
	}
	dep := s.nodes["image_set."+set]
	if dep == nil {
		return nil, failure(t.SourceRange(), "Unknown reference",
			"There is no image set %q.%s", set, didYouMeanOr(set, s.names("image_set."), "Declare it with: image_set %q { … }.", set))
	}
	member, ok := step(t, 2)
	if !ok {
		return dep, nil
	}
	if !slices.Contains([]string{"image", "name", "address"}, member) {
		return nil, failure(t.SourceRange(), "Unknown reference",
			"An image set has no %q.%s", member, didYouMeanOr(member, []string{"image", "name"}, "Its images are image_set.%s.image.NAME.", set))
	}
	name, ok := step(t, 3)
	if !ok || member != "image" {
		return dep, nil
	}
	prefix := "image_set." + set + ".image."
	if dep := s.nodes[prefix+name]; dep != nil {
		return dep, nil
	}
	return nil, failure(t.SourceRange(), "Unknown reference",
		"There is no image %q in image set %q.%s", name, set, didYouMean(name, s.names(prefix)))
}

// names lists the names that follow an address prefix.
func (s *scope) names(prefix string) []string {
	var out []string
	for _, addr := range slices.Sorted(maps.Keys(s.nodes)) {
		rest, ok := strings.CutPrefix(addr, prefix)
		if ok && (prefix != "image_set." || !strings.Contains(rest, ".")) {
			out = append(out, rest)
		}
	}
	return out
}

// step returns the name at a position of a reference: .name or ["name"].
func step(t hcl.Traversal, i int) (string, bool) {
	if i >= len(t) {
		return "", false
	}
	switch s := t[i].(type) {
	case hcl.TraverseAttr:
		return s.Name, true
	case hcl.TraverseIndex:
		if s.Key.Type() == cty.String && s.Key.IsKnown() && !s.Key.IsNull() {
			return s.Key.AsString(), true
		}
	}
	return "", false
}

// checkMember checks references such as path.root.
func checkMember(t hcl.Traversal, known []string) *hcl.Diagnostic {
	name, ok := step(t, 1)
	if ok && slices.Contains(known, name) {
		return nil
	}
	root := t.RootName()
	if !ok {
		return failure(t.SourceRange(), "Invalid reference", "%q must be followed by a dot and one of: %s.", root, strings.Join(known, ", "))
	}
	return failure(t.SourceRange(), "Unknown reference",
		"%q has no %q.%s", root, name, didYouMeanOr(name, known, "It has: %s.", strings.Join(known, ", ")))
}
