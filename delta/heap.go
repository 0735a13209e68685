package delta

import (
	"runtime"
	"runtime/metrics"
	"sync"
)

// A heap keeps garbage within bounds. The runtime lets as much garbage gather
// as there is in use, which with buffers of some MiB is most of the memory; it
// has a limit for whole programs only, which is not a library's to set. So the
// heap is collected where it has grown by as much as it may. Nearly all of it is
// bytes, which cost a collection nothing.
type heap struct {
	mu    sync.Mutex
	limit uint64 // bytes that are in order
	least uint64 // bytes that must have come since the last collection
	after uint64 // that the last collection left
	read  [1]metrics.Sample
}

// newHeap is for work that is to take memory bytes.
func newHeap(memory int64) *heap {
	h := &heap{limit: uint64(memory) / 3, least: max(uint64(memory)/32, 24<<20)}
	h.read[0].Name = "/memory/classes/heap/objects:bytes"
	return h
}

// check collects garbage if it is time to. It is called before what takes much
// memory.
func (h *heap) check() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.now(); now > h.limit && now > h.after+h.least {
		runtime.GC()
		h.after = h.now()
	}
}

func (h *heap) now() uint64 {
	metrics.Read(h.read[:])
	return h.read[0].Value.Uint64()
}
