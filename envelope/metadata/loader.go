package metadata

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/envelope/evepb"
	"github.com/flotobuild/flotobuild/internal/regular"
)

// maxFile bounds files with messages, in bytes. Configurations of devices stay
// far below it.
const maxFile = 64 << 20

// Files says where a state comes from.
type Files struct {
	// Envelopes are configurations or single envelopes.
	Envelopes []string
	// Contexts are cipher contexts beside those in configurations.
	Contexts []string
	// Open makes an opener for contexts; nil where there is no key.
	Open func([]*evepb.CipherContext) (*envelope.Opener, error)
	// VolumeDir holds volumes as files that are named by their UUIDs.
	VolumeDir string
	// VolumeFiles are volumes elsewhere, by UUID in lower case.
	VolumeFiles map[string]string
}

// A Loader reads files, again when they have changed. It is not safe for
// concurrent use.
type Loader struct {
	files   Files
	infos   map[string]os.FileInfo
	config  *evepb.EdgeDevConfig
	opener  *envelope.Opener
	newest  time.Time
	volumes volumes
}

// NewLoader makes a loader that has read nothing yet.
func NewLoader(files Files) *Loader {
	return &Loader{files: files, volumes: volumes{dir: files.VolumeDir, named: files.VolumeFiles}}
}

// Load reads what has changed since the last time, and returns nil where
// nothing has. After an error the same files are not read again until they
// change. The second result is about blobs that do not appear.
func (l *Loader) Load(ctx context.Context) (*State, []error, error) {
	changed, err := l.messages()
	if err != nil {
		return nil, nil, err
	}
	if l.config == nil {
		return nil, nil, nil
	}
	arrived, errs := l.volumes.scan(ctx, volumeIDs(l.config, l.opener))
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	if !changed && !arrived {
		return nil, errs, nil
	}
	state, more := NewState(Contents{Config: l.config, Opener: l.opener, Volumes: l.volumes.ready(), Modified: l.newest})
	return state, append(errs, more...), nil
}

// messages reads all files with messages when one of them is another than it
// was.
func (l *Loader) messages() (bool, error) {
	infos := make(map[string]os.FileInfo)
	changed := l.infos == nil
	for _, name := range append(append([]string(nil), l.files.Envelopes...), l.files.Contexts...) {
		info, err := os.Stat(name)
		if err != nil {
			info = nil
		}
		infos[name] = info
		changed = changed || !same(info, l.infos[name]) && (info != nil || l.infos[name] != nil)
	}
	if !changed {
		return false, nil
	}
	l.infos = infos
	config, err := l.readAll()
	if err != nil {
		return false, err
	}
	var opener *envelope.Opener
	if l.files.Open != nil {
		if opener, err = l.files.Open(config.GetCipherContexts()); err != nil {
			return false, err
		}
	}
	l.config, l.opener, l.newest = config, opener, newest(infos)
	return true, nil
}

func newest(infos map[string]os.FileInfo) time.Time {
	var t time.Time
	for _, i := range infos {
		if i != nil && i.ModTime().After(t) {
			t = i.ModTime()
		}
	}
	return t
}

func (l *Loader) readAll() (*evepb.EdgeDevConfig, error) {
	all := new(evepb.EdgeDevConfig)
	for _, name := range l.files.Envelopes {
		c, err := ReadConfig(name)
		if err != nil {
			return nil, err
		}
		all.CipherContexts = append(all.CipherContexts, c.GetCipherContexts()...)
		all.PatchEnvelopes = append(all.PatchEnvelopes, c.GetPatchEnvelopes()...)
	}
	for _, name := range l.files.Contexts {
		b, err := readFile(name)
		if err != nil {
			return nil, err
		}
		c, err := envelope.ReadContext(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all.CipherContexts = append(all.CipherContexts, c)
	}
	return all, nil
}

// ReadConfig reads a file with a configuration or an envelope.
func ReadConfig(name string) (*evepb.EdgeDevConfig, error) {
	b, err := readFile(name)
	if err != nil {
		return nil, err
	}
	c, err := envelope.ReadConfig(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

func readFile(name string) ([]byte, error) {
	f, _, err := regular.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", name, err)
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("cannot read %q: it has more than %d bytes, which no configuration of a device has", name, maxFile)
	}
	return b, nil
}

// volumeIDs gives the volumes that envelopes refer to, as far as they can be
// read.
func volumeIDs(c *evepb.EdgeDevConfig, o *envelope.Opener) []string {
	var out []string
	for _, e := range c.GetPatchEnvelopes() {
		for _, a := range e.GetArtifacts() {
			m := a.GetVolumeRef()
			if x := a.GetEncryptedVolumeref(); x != nil && o != nil {
				if m, _ = o.Volume(x); m == nil {
					continue
				}
			}
			if m != nil {
				out = append(out, strings.ToLower(m.GetImageId()))
			}
		}
	}
	return out
}
