package lang

import (
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A Rule is one rule of a policy, by the name of its attribute or block.
type Rule string

// The rules of a policy.
const (
	RuleCleanTree          Rule = "clean_tree"
	RuleMaxSize            Rule = "max_size"
	RuleRemovedImages      Rule = "allow_removed_images"
	RuleAllowedRegistries  Rule = "allowed_registries"
	RuleRequiredSignatures Rule = "required_signatures"
)

// A Policy says what a site's patches must hold to. Its zero value allows all.
type Policy struct {
	// CleanTree makes a work tree with uncommitted changes an error instead of a
	// warning.
	CleanTree bool
	// MaxSize bounds the patch file, in bytes; 0 is no bound.
	MaxSize int64
	// KeepImages is allow_removed_images = false: no image that a parent has may
	// be missing.
	KeepImages bool
	// AllowedRegistries are patterns, see RegistryAllowed. Nil allows every
	// registry, an empty list none.
	AllowedRegistries []string
	// SignatureKeys are files of public keys; other people's images must be
	// signed with one of them. Empty where no signature is required.
	SignatureKeys []Path

	Range  hcl.Range          // of the policy block, or of the patch block where there is none
	ranges map[Rule]hcl.Range // of the rules that the block sets
}

// RangeOf is the place of a rule in the policy block.
func (p Policy) RangeOf(r Rule) hcl.Range {
	if at, ok := p.ranges[r]; ok {
		return at
	}
	return p.Range
}

// RegistryAllowed says whether a repository is one of those that the policy
// allows. A pattern is a registry, or a registry with the first parts of a
// repository's path; in each part * stands for any characters. The repository is
// written in full: docker.io/library/alpine.
func (p Policy) RegistryAllowed(repository string) bool {
	if p.AllowedRegistries == nil {
		return true
	}
	have := strings.Split(repository, "/")
	for _, pattern := range p.AllowedRegistries {
		if partsMatch(strings.Split(pattern, "/"), have) {
			return true
		}
	}
	return false
}

func partsMatch(want, have []string) bool {
	if len(want) > len(have) {
		return false
	}
	for i, w := range want {
		if ok, err := path.Match(w, have[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// policy evaluates the policy block of a patch block.
func (f *frame) policy(patch *block, outside bool) Policy {
	b := patch.only("policy")
	p := Policy{Range: b.header, ranges: make(map[Rule]hcl.Range)}
	for name, a := range b.attrs {
		p.ranges[Rule(name)] = a.Expr.Range()
	}
	p.CleanTree = f.flag(b, string(RuleCleanTree))
	p.MaxSize = f.size(b, string(RuleMaxSize))
	if v, ok := f.value(b, string(RuleRemovedImages), cty.Bool); ok {
		p.KeepImages = v.False()
	}
	p.AllowedRegistries = f.registries(b)
	for _, s := range b.blocks {
		p.ranges[RuleRequiredSignatures] = s.header
		p.SignatureKeys = f.signatureKeys(s, outside)
	}
	return p
}

func (f *frame) registries(b *block) []string {
	list, ok := f.texts(b, string(RuleAllowedRegistries))
	if !ok {
		return nil
	}
	for i, pattern := range list {
		if problem := registryProblem(pattern); problem != "" {
			f.report(failure(itemRange(b.attrs[string(RuleAllowedRegistries)].Expr, i), "Invalid registry",
				"%q is no registry: %s. Write a registry, with the beginning of a repository's path where needed, such as registry.example:5000/team; * stands for any characters of a part.", pattern, problem))
		}
	}
	return list
}

// registryProblem says what is wrong with a pattern; empty where nothing is.
func registryProblem(pattern string) string {
	parts := strings.Split(pattern, "/")
	switch {
	case pattern == "":
		return "it is empty"
	case strings.Contains(pattern, "://"):
		return "it has a scheme"
	case strings.ContainsAny(pattern, "@ \t\n"), len(parts) > 1 && strings.Contains(parts[len(parts)-1], ":"):
		return "it names a tag or a digest, or holds a space"
	case pattern != strings.ToLower(pattern):
		return "registries and repositories are in lower case"
	case len(parts) > 1 && !strings.ContainsAny(parts[0], ".:*") && parts[0] != "localhost":
		return "its first part is no host; images of Docker Hub are docker.io/…"
	}
	for _, part := range parts {
		if _, err := path.Match(part, ""); err != nil || part == "" {
			return "a part of it is empty or no pattern"
		}
	}
	return ""
}

func (f *frame) signatureKeys(b *block, outside bool) []Path {
	list, ok := f.texts(b, "keys")
	if !ok {
		return nil
	}
	expr := b.attrs["keys"].Expr
	if len(list) == 0 {
		f.report(failure(expr.Range(), "Missing key", "No key is listed, and so no signature could be verified. Name a file with a public key, or remove the block."))
	}
	var out []Path
	for i, name := range list {
		p, d := newPath(name, f.scope.folder.dir, outside, itemRange(expr, i))
		if d != nil {
			f.report(d)
			continue
		}
		out = append(out, *p)
	}
	return out
}
