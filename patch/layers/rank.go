package layers

import (
	"github.com/opencontainers/go-digest"
)

// ranked gives the layers that can be made. One whose blob is there has the
// rank 0, one of a delta a higher rank than all that the delta builds on. So
// what would be made of itself has none, and a chain of many patches, each with
// deltas against the one before, takes no more than its length.
func (s *Source) ranked() map[digest.Digest]int {
	s.ranking.Lock()
	defer s.ranking.Unlock()
	if s.ranks != nil {
		return s.ranks
	}
	s.ranks = make(map[digest.Digest]int)
	open := make(map[digest.Digest][]place) // what only deltas make
	for id, places := range s.places {
		if places[0].delta == nil {
			s.ranks[id] = 0
			continue
		}
		for _, p := range places {
			if p.delta.Applicable() == nil {
				open[id] = append(open[id], p)
			}
		}
	}
	for more := true; more; {
		more = false
		for id, places := range open {
			for _, p := range places {
				if rank := above(s.ranks, p); rank >= 0 {
					s.ranks[id], more = rank, true
					delete(open, id)
					break
				}
			}
		}
	}
	return s.ranks
}

// after is the rank of what a delta makes; negative where it makes nothing.
func (s *Source) after(p place) int {
	if p.delta.Applicable() != nil {
		return -1
	}
	return above(s.ranked(), p)
}

func above(ranks map[digest.Digest]int, p place) int {
	rank := 1
	for _, id := range p.delta.Bases {
		r, ok := ranks[id]
		if !ok {
			return -1
		}
		rank = max(rank, r+1)
	}
	return rank
}
