package metadata

import (
	"cmp"
	"slices"
	"sync"
)

// A Usage counts what an application did with an envelope.
type Usage struct {
	App          string `json:"app"`
	Patch        string `json:"patch"`
	Descriptions uint64 `json:"descriptions"`
	Downloads    uint64 `json:"downloads"`
}

// usage has an entry for each pair of application and envelope that met, so
// that requests cannot make it grow.
type usage struct {
	mu    sync.Mutex
	count map[[2]string]*Usage
}

func (u *usage) described(app, patch string) { u.add(app, patch, 1, 0) }

func (u *usage) downloaded(app, patch string) { u.add(app, patch, 0, 1) }

func (u *usage) add(app, patch string, descriptions, downloads uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count == nil {
		u.count = make(map[[2]string]*Usage)
	}
	c := u.count[[2]string{app, patch}]
	if c == nil {
		c = &Usage{App: app, Patch: patch}
		u.count[[2]string{app, patch}] = c
	}
	c.Descriptions += descriptions
	c.Downloads += downloads
}

// Usage gives all counters, sorted by application and envelope.
func (s *Server) Usage() []Usage {
	s.usage.mu.Lock()
	defer s.usage.mu.Unlock()
	var out []Usage
	for _, c := range s.usage.count {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Usage) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Patch, b.Patch))
	})
	return out
}
