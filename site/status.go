package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/patch/sign"
)

// A Status tells how the site is.
type Status struct {
	Site     string `json:"site"`
	Dir      string `json:"dir"`
	Active   string `json:"active,omitempty"`   // id
	Previous string `json:"previous,omitempty"` // the patch before
	Newest   string `json:"newest,omitempty"`   // by creation date
	// Since is when the active patch became so, and By who did it.
	Since   time.Time `json:"since,omitzero"`
	By      string    `json:"by,omitempty"`
	Patches int       `json:"patches"`
	Blobs   int       `json:"blobs"`
	Bytes   int64     `json:"bytes"` // of blobs
	Free    int64     `json:"free"`  // bytes that can be written; -1 where nobody knows
	Trust   bool      `json:"trust"` // signatures are demanded
	// Holder is who changes the site at the moment.
	Holder *Holder `json:"holder,omitempty"`
	// Imports are under way, or can be gone on with.
	Imports []PendingImport `json:"imports"`
	// Damaged are patches that lack blobs.
	Damaged []string `json:"damaged"`
	// VarsChanged says that the active patch was activated with other values of
	// the site's variables. It is false for who may not read them.
	VarsChanged bool `json:"varsChanged,omitempty"`
	// ValuesBefore says that Rollback goes to other values of the active patch
	// first, which it was active with before.
	ValuesBefore bool `json:"valuesBefore,omitempty"`
}

// A PendingImport is one that has not come to its end.
type PendingImport struct {
	Patch   string `json:"patch"` // id; empty where that is not known yet
	Bytes   int64  `json:"bytes"` // copied
	Running bool   `json:"running"`
}

// Status tells how the site is, without reading blobs.
func (s *Site) Status(ctx context.Context) (*Status, error) {
	st, err := s.status(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot tell the state of site %q: %w", s.Name(), err)
	}
	return st, nil
}

func (s *Site) status(ctx context.Context) (*Status, error) {
	st := &Status{Site: s.Name(), Dir: s.dir, Free: s.free(), Imports: []PendingImport{}, Damaged: []string{}}
	policy, err := s.Policy()
	if err != nil {
		return nil, err
	}
	st.Trust = policy != nil
	a, err := s.readActive()
	if err != nil {
		return nil, err
	}
	st.ValuesBefore = s.valuesBefore(a)
	st.Active, st.Since, st.By, st.Previous = a.ID, a.Since, a.By, s.previous(a)
	if st.VarsChanged, err = s.varsChanged(a); err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	if st.Patches = len(all); len(all) > 0 {
		st.Newest = all[0].ID
	}
	blobs, err := s.blobs.List()
	if err != nil {
		return nil, err
	}
	has := make(map[need]bool)
	st.Blobs = len(blobs)
	for _, b := range blobs {
		st.Bytes += b.Size
		has[need{Digest: b.Digest, Size: b.Size}] = true
	}
	for _, e := range all {
		whole, err := s.hasAll(e.ID, has)
		if err != nil {
			return nil, err
		}
		if !whole {
			st.Damaged = append(st.Damaged, e.ID)
		}
	}
	if h, busy, err := s.Busy(); err != nil {
		return nil, err
	} else if busy {
		st.Holder = &h
	}
	st.Imports, err = s.pending()
	return st, err
}

// hasAll compares what a patch needs with what there is.
func (s *Site) hasAll(id string, has map[need]bool) (bool, error) {
	all, err := s.readNeeds(id)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // collected meanwhile
	}
	for _, n := range all {
		if !has[need{Digest: n.Digest, Size: n.Size}] {
			return false, err
		}
	}
	return true, err
}

// pending lists the imports in the staging folder.
func (s *Site) pending() ([]PendingImport, error) {
	entries, err := os.ReadDir(s.path(stagingDir))
	if err != nil {
		return nil, err
	}
	out := []PendingImport{}
	for _, e := range entries {
		g := &staging{dir: s.path(stagingDir, e.Name())}
		p := PendingImport{Bytes: g.bytes()}
		if h, err := readHeader(g.path(stagedPatch)); err == nil {
			p.Patch = h.Description.ID
		}
		if f, err := os.Open(g.dir); err == nil {
			p.Running = held(f)
			f.Close()
		}
		out = append(out, p)
	}
	return out, nil
}

// free gives the bytes that can be written.
func (s *Site) free() int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(s.dir, &st); err != nil || st.Blocks == 0 {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

// SetTrust replaces the trust policy; nil demands no signatures any more. It
// holds for imports to come, also those of Sites that are open.
func (s *Site) SetTrust(ctx context.Context, policy []byte, by string) error {
	if err := s.setTrust(ctx, policy, by); err != nil {
		return fmt.Errorf("cannot change the trust policy of site %q: %w", s.Name(), err)
	}
	return nil
}

func (s *Site) setTrust(ctx context.Context, policy []byte, by string) (err error) {
	detail := "no signatures are demanded"
	if policy != nil {
		p, err := sign.ParsePolicy(policy)
		if err != nil {
			return err
		}
		detail = fmt.Sprintf("%d keys, %d rules", len(p.Keys), len(p.Rules))
	}
	unlock, err := s.Lock(ctx, "change of the trust policy")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	c, err := readConfig(s.dir)
	if err != nil {
		return err
	}
	e := Event{Time: orNow(time.Time{}), Action: ActionTrust, By: by, Detail: detail}
	c.TrustPolicy, c.TrustSince = json.RawMessage(policy), e.Time
	return s.commit(e, func() error { return c.write(s.dir) })
}
