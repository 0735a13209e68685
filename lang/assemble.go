package lang

import (
	"cmp"
	"slices"
)

// config collects what the scope's nodes have become.
func (s *scope) config() *Config {
	cfg := &Config{Settings: s.settings, Files: s.project.files}
	for _, v := range s.vars {
		cfg.Variables = append(cfg.Variables, v)
	}
	for _, set := range s.sets {
		cfg.ImageSets = append(cfg.ImageSets, set)
	}
	for _, r := range s.rootDefs {
		cfg.RootDefinitions = append(cfg.RootDefinitions, r.result)
	}
	cfg.Sites = s.sites
	slices.SortFunc(cfg.Variables, func(a, b *Variable) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(cfg.ImageSets, func(a, b *ImageSet) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(cfg.RootDefinitions, func(a, b *RootDefinition) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(cfg.Sites, func(a, b *Site) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), compareRanges(a.Range, b.Range))
	})
	return cfg
}

// checkSites checks what no site can see on its own.
func (p *project) checkSites(cfg *Config) {
	for i := 1; i < len(cfg.Sites); i++ {
		a, b := cfg.Sites[i-1], cfg.Sites[i]
		if a.Name == b.Name {
			p.report(failure(b.Range, "Duplicate site name", "A site named %q stands already at %s. Give one of them another name.", b.Name, place(a.Range)))
		}
	}
}
