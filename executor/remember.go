package executor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	cachetypes "github.com/moby/buildkit/cache/remotecache/v1/types"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/planner"
)

// maxRemembered bounds a file of remembered records, in bytes.
const maxRemembered = 16 << 20

// A remembered file holds the cache records that a build of an image gave first.
// An engine words the records of the same steps in more than one way, depending
// on what it had cached, and they travel: without this a patch would have other
// bytes than its plan says.
type remembered struct {
	Key     digest.Digest            `json:"key"` // of what was built from which inputs
	Records []cachetypes.CacheRecord `json:"records"`
}

// remember gives the platforms of an image the records that the same build had
// before on this machine, and keeps them where it is the first. There is one file
// for an image and platform. Without the file nothing but those bytes differ, so
// that one that cannot be read or written is no failure.
func (r *run) remember(img *planner.ImagePlan, m *made) {
	for i := range m.platforms {
		p := &m.platforms[i]
		if len(p.records) == 0 {
			continue
		}
		key := digest.FromString(img.Fingerprint.Digest.String() + "\n" + digest.FromBytes(p.config).String())
		dir := filepath.Join(filepath.Dir(r.opts.StoreDir), "records")
		name := filepath.Join(dir, digest.FromString(img.Address+"\n"+p.platform).Encoded()+".json")
		if old := readRemembered(name); old != nil && old.Key == key && len(old.Records) > 0 {
			p.records = old.Records
			continue
		}
		b, err := json.Marshal(remembered{key, p.records})
		if err != nil || len(b) > maxRemembered || os.MkdirAll(dir, 0o777) != nil {
			continue
		}
		_ = atomicfile.WriteFile(name, b, 0o666) // see above
	}
}

func readRemembered(name string) *remembered {
	st, err := os.Stat(name)
	if err != nil || !st.Mode().IsRegular() || st.Size() > maxRemembered {
		return nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	var out remembered
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if d.Decode(&out) != nil {
		return nil
	}
	return &out
}
