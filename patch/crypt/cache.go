package crypt

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	// chunkSize is the number of clear bytes that are sealed together.
	chunkSize = 64 << 10
	// cachedChunks is for a few readers side by side, each with the chunk it is
	// in; a reader that goes through a file asks for less than a chunk at once.
	cachedChunks = 32
)

// A cache keeps the chunks that were decrypted last.
type cache struct {
	r    io.ReaderAt
	size int64

	mu     sync.Mutex
	chunks map[int64]*list.Element
	recent *list.List // of *chunk, the latest first
}

type chunk struct {
	index int64
	once  sync.Once
	data  []byte
	err   error
}

func newCache(r io.ReaderAt, size int64) *cache {
	return &cache{r: r, size: size, chunks: make(map[int64]*list.Element), recent: list.New()}
}

// ReadAt implements io.ReaderAt.
func (c *cache) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("cannot read in front of the file")
	}
	n := 0
	for n < len(p) {
		if off >= c.size {
			return n, io.EOF
		}
		data, err := c.get(off / chunkSize)
		if err != nil {
			return n, err
		}
		m := copy(p[n:], data[off%chunkSize:])
		n, off = n+m, off+int64(m)
	}
	return n, nil
}

// get gives a chunk. Those who ask for the same one at once share the work.
func (c *cache) get(index int64) ([]byte, error) {
	k := c.entry(index)
	k.once.Do(func() {
		off := index * chunkSize
		k.data = make([]byte, min(chunkSize, c.size-off))
		if n, err := c.r.ReadAt(k.data, off); n < len(k.data) {
			k.data, k.err = nil, fmt.Errorf("the encrypted file is damaged at byte %d of its content: %w", off, err)
		}
	})
	return k.data, k.err
}

func (c *cache) entry(index int64) *chunk {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.chunks[index]; ok {
		c.recent.MoveToFront(e)
		return e.Value.(*chunk)
	}
	k := &chunk{index: index}
	c.chunks[index] = c.recent.PushFront(k)
	if c.recent.Len() > cachedChunks {
		last := c.recent.Back()
		delete(c.chunks, c.recent.Remove(last).(*chunk).index)
	}
	return k
}
