package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// digestKeyFile is the project's secret key for digests of blobs, in the data
// folder.
const digestKeyFile = "envelope.key"

const digestKeySize = 32 // bytes

// readDigestKey gives the project's digest key, where the project has
// envelopes. One that is missing is made: what was sealed before cannot be
// compared then, and the plan says so.
func (p *project) readDigestKey() ([]byte, error) {
	if len(p.config.Envelopes) == 0 {
		return nil, nil
	}
	if p.digestKey != nil {
		return p.digestKey, nil
	}
	name := filepath.Join(p.dataDir, digestKeyFile)
	key, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeDigestKey(p.dataDir, name)
	}
	if err == nil && len(key) != digestKeySize {
		err = &hintError{fmt.Errorf("%q is no digest key: it has %d bytes instead of %d", name, len(key), digestKeySize), "delete it: envelopes are sealed anew then"}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot use the key for digests of envelopes: %w", err)
	}
	p.digestKey = key
	return key, nil
}

// makeDigestKey makes a key. Where another command is faster, its key counts.
func makeDigestKey(dir, name string) ([]byte, error) {
	if err := makeDataDir(dir); err != nil {
		return nil, err
	}
	key := make([]byte, digestKeySize)
	rand.Read(key) // never fails: without random bytes the program ends
	f, err := atomicfile.Create(dir, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Abort()
	if _, err := f.Write(key); err != nil {
		return nil, err
	}
	err = f.Publish(name)
	if errors.Is(err, fs.ErrExist) {
		return os.ReadFile(name)
	}
	return key, err
}
