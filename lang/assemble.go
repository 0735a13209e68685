package lang

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// config collects what the scope's nodes have become.
func (s *scope) config() *Config {
	cfg := &Config{Settings: s.settings, Files: s.project.files, Graph: s.graph()}
	for _, v := range s.vars {
		cfg.Variables = append(cfg.Variables, v)
	}
	for _, set := range s.sets {
		cfg.ImageSets = append(cfg.ImageSets, set)
	}
	for addr, r := range s.rootDefs {
		r.result.Module = strings.TrimSuffix(strings.TrimSuffix(addr, "root_definition."+r.result.Name), ".")
		cfg.RootDefinitions = append(cfg.RootDefinitions, r.result)
	}
	cfg.Sites = s.sites
	for _, e := range s.envelopes {
		cfg.Envelopes = append(cfg.Envelopes, e)
	}
	sortEnvelopes(cfg.Envelopes)
	slices.SortFunc(cfg.Variables, func(a, b *Variable) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(cfg.ImageSets, func(a, b *ImageSet) int { return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Name, b.Name)) })
	slices.SortFunc(cfg.RootDefinitions, func(a, b *RootDefinition) int {
		return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(cfg.Sites, func(a, b *Site) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), compareRanges(a.Range, b.Range))
	})
	return cfg
}

func sortEnvelopes(all []*Envelope) {
	slices.SortFunc(all, func(a, b *Envelope) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), compareRanges(a.Range, b.Range), cmp.Compare(a.Address(), b.Address()))
	})
}

// checkSites checks what no site can see on its own.
func (p *project) checkSites(cfg *Config) {
	for i := 1; i < len(cfg.Sites); i++ {
		a, b := cfg.Sites[i-1], cfg.Sites[i]
		if a.Name == b.Name {
			p.report(duplicateName(b.Name, "site", "", b.Range, a.Range))
		}
	}
}

// duplicateName refuses the second of two equal names.
func duplicateName(name, kind, where string, second, first hcl.Range) *hcl.Diagnostic {
	summary := "Duplicate " + kind + " name"
	if second == first {
		return failure(second, summary, "Two instances of this block are named %q. Give each its own name: the attribute name can use each.key, and modules can use their variables.", name)
	}
	return failure(second, summary, "%s named %q stands already %sat %s. Give one of them another name.", capital(withArticle(kind)), name, where, place(first))
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
