package facts

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

const (
	cacheHeader = "flotobuild digests 1"
	// racy is the age in nanoseconds that a change must have before a digest
	// is kept; file systems with coarse clocks tick in two seconds.
	racy = int64(2 * time.Second)
	// maxUnused bounds the entries of files that this run did not ask for.
	maxUnused = 50_000
)

// stamp identifies a state of a file. Times are in nanoseconds.
type stamp struct {
	size, mtime, ctime int64
	inode              uint64
	mode               uint32
}

type cached struct {
	stamp
	digest digest.Digest
	used   bool
}

// A cache keeps digests of files by absolute path.
type cache struct {
	dir string

	mu      sync.Mutex
	entries map[string]cached
	learnt  bool
}

func (c *cache) file() string { return filepath.Join(c.dir, "digests") }

// get returns the digest of the file in that state.
func (c *cache) get(path string, s stamp) (digest.Digest, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[path]
	if !ok || e.stamp != s {
		return "", false
	}
	e.used = true
	c.entries[path] = e
	return e.digest, true
}

// put keeps a digest unless the file was changed too shortly before it was
// opened at the given time.
func (c *cache) put(path string, s stamp, d digest.Digest, opened time.Time) {
	if max(s.mtime, s.ctime) > opened.UnixNano()-racy {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries[path] = cached{stamp: s, digest: d, used: true}
	c.learnt = true
}

// loadCache reads the cache; what is not exactly as save wrote it counts as
// empty.
func loadCache(dir string) *cache {
	c := &cache{dir: dir, entries: make(map[string]cached)}
	data, err := os.ReadFile(c.file())
	if err != nil {
		return c
	}
	if entries, ok := parseCache(data); ok {
		c.entries = entries
	}
	return c
}

// parseCache reads a header, a line for each entry and the SHA-256 of all that
// stands before it.
func parseCache(data []byte) (map[string]cached, bool) {
	body, sum, ok := bytes.Cut(data, []byte("\nsum "))
	if !ok || string(sum) != sumOf(body)+"\n" {
		return nil, false
	}
	entries := make(map[string]cached)
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, len(body)+1)
	if !lines.Scan() || lines.Text() != cacheHeader {
		return nil, false
	}
	for lines.Scan() {
		path, e, ok := parseEntry(lines.Text())
		if !ok {
			return nil, false
		}
		entries[path] = e
	}
	return entries, lines.Err() == nil
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// parseEntry reads "HEX SIZE MTIME CTIME INODE MODE PATH", PATH quoted.
func parseEntry(line string) (string, cached, bool) {
	f := strings.SplitN(line, " ", 7)
	if len(f) != 7 {
		return "", cached{}, false
	}
	var e cached
	var errs [6]error
	e.digest = digest.NewDigestFromEncoded(digest.SHA256, f[0])
	errs[0] = e.digest.Validate()
	e.size, errs[1] = strconv.ParseInt(f[1], 10, 64)
	e.mtime, errs[2] = strconv.ParseInt(f[2], 10, 64)
	e.ctime, errs[3] = strconv.ParseInt(f[3], 10, 64)
	e.inode, errs[4] = strconv.ParseUint(f[4], 10, 64)
	mode, err := strconv.ParseUint(f[5], 10, 32)
	e.mode, errs[5] = uint32(mode), err
	path, err := strconv.Unquote(f[6])
	return path, e, err == nil && errs == [6]error{}
}

// save writes the cache in one step. Of two processes the last one wins; the
// other's digests are computed again.
func (c *cache) save() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.learnt {
		return nil
	}
	if err := c.write(c.encode()); err != nil {
		return fmt.Errorf("cannot write digest cache: %w", err)
	}
	c.learnt = false
	return nil
}

func (c *cache) encode() []byte {
	unused := 0
	for _, e := range c.entries {
		if !e.used {
			unused++
		}
	}
	var b bytes.Buffer
	b.WriteString(cacheHeader)
	for _, path := range slices.Sorted(maps.Keys(c.entries)) {
		e := c.entries[path]
		if !e.used && unused > maxUnused {
			continue
		}
		fmt.Fprintf(&b, "\n%s %d %d %d %d %d %q", e.digest.Encoded(), e.size, e.mtime, e.ctime, e.inode, e.mode, path)
	}
	fmt.Fprintf(&b, "\nsum %s\n", sumOf(b.Bytes()))
	return b.Bytes()
}

// write replaces the file. The folder tells git to ignore it.
func (c *cache) write(data []byte) error {
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.dir, ".gitignore"), []byte("*\n"), 0o666); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(c.dir, ".digests-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), c.file())
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
