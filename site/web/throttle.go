package web

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Bounds of failed sign-ins.
const (
	freeFailures = 5 // in a row, before somebody has to wait
	firstWait    = time.Second
	longestWait  = time.Minute
	forgetTime   = 10 * time.Minute
	maxSources   = 10000
)

// A throttle makes those wait who try tokens. Tokens cannot be guessed; what it
// keeps down is the noise, and the work.
type throttle struct {
	now func() time.Time

	mu      sync.Mutex
	sources map[netip.Prefix]*failures
}

type failures struct {
	count int
	last  time.Time
}

func newThrottle() *throttle {
	return &throttle{now: time.Now, sources: make(map[netip.Prefix]*failures)}
}

// wait says how long a source must wait before it may try again.
func (t *throttle) wait(source netip.Prefix) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.sources[source]
	if f == nil || f.count < freeFailures {
		return 0
	}
	pause := longestWait
	if n := f.count - freeFailures; n < 6 {
		pause = firstWait << n
	}
	return max(pause-t.now().Sub(f.last), 0)
}

// failed counts a wrong token.
func (t *throttle) failed(source netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.sources) >= maxSources {
		t.sweep()
	}
	f := t.sources[source]
	if f == nil || t.now().Sub(f.last) > forgetTime {
		f = new(failures)
		t.sources[source] = f
	}
	f.count++
	f.last = t.now()
}

// sweep forgets old failures, and all where that is not enough.
func (t *throttle) sweep() {
	for source, f := range t.sources {
		if t.now().Sub(f.last) > forgetTime {
			delete(t.sources, source)
		}
	}
	if len(t.sources) >= maxSources {
		clear(t.sources)
	}
}

func (t *throttle) succeeded(source netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sources, source)
}

// sourceOf is where a request comes from: an address, of IPv6 the network.
func sourceOf(r *http.Request) netip.Prefix {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
