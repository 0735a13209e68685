package executor

import (
	"context"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// A shelf knows which patch has got a blob first, so that each blob leaves the
// engine once and is hashed once, whatever the number of sites: the other
// patches copy it from that one.
type shelf struct {
	mu sync.Mutex
	by map[digest.Digest]*shelved
}

// shelved is a blob that is being written, or was.
type shelved struct {
	done   chan struct{}
	stored patch.Stored
	ok     bool
}

func newShelf() *shelf { return &shelf{by: make(map[digest.Digest]*shelved)} }

// take gives a blob that a patch has. For the first one to ask it gives put
// instead, which must be called with the outcome of writing the blob; the others
// wait for that. As nobody waits between take and put, nobody waits for ever.
func (s *shelf) take(ctx context.Context, d digest.Digest) (patch.Stored, func(patch.Stored, bool), error) {
	for {
		s.mu.Lock()
		b := s.by[d]
		if b == nil {
			b = &shelved{done: make(chan struct{})}
			s.by[d] = b
			s.mu.Unlock()
			return patch.Stored{}, func(st patch.Stored, ok bool) { s.put(d, b, st, ok) }, nil
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return patch.Stored{}, nil, context.Cause(ctx)
		case <-b.done:
		}
		if b.ok {
			return b.stored, nil, nil
		}
	}
}

// put says what became of a blob. After a failure the next one may try.
func (s *shelf) put(d digest.Digest, b *shelved, st patch.Stored, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.stored, b.ok = st, ok
	if !ok {
		delete(s.by, d)
	}
	close(b.done)
}
