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
	if s.ranks == nil {
		s.ranks = make(map[digest.Digest]int)
		s.rank()
	}
	return s.ranks
}

// A waiter is a delta that some of the bases are not known for yet.
type waiter struct {
	id   digest.Digest // of the layer that it makes
	left int           // bases
}

// rank looks at each base of each delta once: the layers of rank 0 come first,
// then those that build on them alone, and so on.
func (s *Source) rank() {
	waiting := make(map[digest.Digest][]*waiter) // by base
	var queue []digest.Digest                    // ranks do not fall along it
	for id, places := range s.places {
		if places[0].delta == nil {
			s.ranks[id] = 0
			queue = append(queue, id)
		}
	}
	reach := func(w *waiter, rank int) {
		if _, known := s.ranks[w.id]; w.left == 0 && !known {
			s.ranks[w.id] = rank
			queue = append(queue, w.id)
		}
	}
	for id, places := range s.places {
		for _, p := range places {
			if places[0].delta == nil || p.delta.Applicable() != nil {
				continue
			}
			w := &waiter{id, len(p.delta.Bases)}
			for _, base := range p.delta.Bases {
				waiting[base] = append(waiting[base], w)
			}
			reach(w, 1)
		}
	}
	for n := 0; n < len(queue); n++ {
		for _, w := range waiting[queue[n]] {
			w.left--
			reach(w, s.ranks[queue[n]]+1)
		}
	}
}

// after is the rank of what a delta makes; negative where it makes nothing.
func (s *Source) after(p place) int {
	if p.delta.Applicable() != nil {
		return -1
	}
	ranks, rank := s.ranked(), 1
	for _, id := range p.delta.Bases {
		r, ok := ranks[id]
		if !ok {
			return -1
		}
		rank = max(rank, r+1)
	}
	return rank
}
