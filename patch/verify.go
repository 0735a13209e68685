package patch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/verify"
)

// VerifyOptions say what Verify may use.
type VerifyOptions struct {
	// Parents are patches at hand; those that are no parents are ignored.
	Parents []*Header
	// Bases gives layers of the parents, so that deltas are applied; nil leaves
	// it at what their frames say. One that is not there is fs.ErrNotExist.
	Bases func(ctx context.Context, diffID digest.Digest) (io.ReaderAt, int64, error)
}

// A Report says what Verify checked and what it found.
type Report struct {
	ID       string `json:"id"`
	SiteName string `json:"siteName"`
	Size     int64  `json:"size"`    // bytes of the file
	Entries  int    `json:"entries"` // whose size and digest were checked
	Bytes    int64  `json:"bytes"`   // of those entries
	Images   int    `json:"images"`  // required
	Layers   int    `json:"layers"`  // carried; decompressed and compared with their diff ids
	// Deltas counts the layers that travel as deltas, and Applied those of them
	// that were made, and compared with diff id and digest.
	Deltas   int            `json:"deltas,omitempty"`
	Applied  int            `json:"appliedDeltas,omitempty"`
	Required int            `json:"requiredIds"`
	Carried  int            `json:"containedIds"`
	Parents  []ParentReport `json:"parents,omitempty"`
	Problems []string       `json:"problems,omitempty"`
}

// A ParentReport says whether the patch is complete on top of one parent.
type ParentReport struct {
	ID string `json:"id"`
	// Checked is false where the parent is not at hand.
	Checked bool `json:"checked"`
	// Missing counts the blobs that neither the patch nor the parent has.
	Missing int `json:"missing,omitempty"`
}

// Complete says that every parent was at hand and misses nothing. An initial
// patch has no parents and is complete in itself.
func (r *Report) Complete() bool {
	return !slices.ContainsFunc(r.Parents, func(p ParentReport) bool { return !p.Checked || p.Missing > 0 })
}

// maxProblems bounds what a report lists.
const maxProblems = 100

// verification is one run of Verify.
type verification struct {
	p       *Reader
	records []*record
	layers  map[string]Layer          // by entry
	deltas  map[string]LayerTransport // by entry
	makes   map[digest.Digest]LayerTransport
	bases   func(context.Context, digest.Digest) (io.ReaderAt, int64, error)
	apply   sync.Mutex // one delta at a time: each takes much memory

	mu       sync.Mutex
	problems []error
	report   Report
}

func (v *verification) problem(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.problems) < maxProblems {
		v.problems = append(v.problems, err)
	}
}

// Verify checks all there is to check: every byte of the ZIP's records, size
// and digest of every entry, the diff id of every layer that the patch carries,
// manifests and configs against the description, and completeness with the
// parents at hand. It goes on after a problem; the error joins all of them. The
// report is nil only when ctx is done, or where Bases has no room on the disk.
func Verify(ctx context.Context, p *Reader, o VerifyOptions) (*Report, error) {
	d := p.Description
	v := &verification{p: p, layers: make(map[string]Layer), deltas: make(map[string]LayerTransport), makes: d.Deltas(), bases: o.Bases, report: Report{
		ID: d.ID, SiteName: d.SiteName, Size: p.size, Images: len(d.Flotobuild.Images),
		Required: len(d.RequiredImageIDs), Carried: len(d.ContainedImageIDs),
	}}
	v.findLayers()
	for _, t := range v.makes {
		v.deltas[DeltaEntry(t.Delta.Digest)] = t
	}
	if err := v.entries(ctx); err != nil {
		return nil, err
	}
	v.directory()
	v.images(ctx)
	v.completeness(o.Parents)
	slices.SortFunc(v.problems, func(a, b error) int { return bytes.Compare([]byte(a.Error()), []byte(b.Error())) })
	for _, err := range v.problems {
		v.report.Problems = append(v.report.Problems, err.Error())
	}
	return &v.report, errors.Join(v.problems...)
}

// findLayers finds the layers among the entries.
func (v *verification) findLayers() {
	for _, i := range v.p.Description.Flotobuild.Images {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				e := BlobEntry(l.Digest)
				if other, ok := v.layers[e]; ok && other.DiffID != l.DiffID {
					v.problem(fmt.Errorf("image %q: layer %q has diff id %q here and %q elsewhere", i.Name, l.Digest, l.DiffID, other.DiffID))
				}
				v.layers[e] = l
			}
		}
	}
}

// entries reads every entry once, several at a time.
func (v *verification) entries(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, known := range v.p.records {
		r := *known
		v.records = append(v.records, &r)
		g.Go(func() error {
			err := v.entry(ctx, v.p.entries[r.name].Content, &r)
			if atomicfile.NoSpace(err) { // for layers of parents: the patch is not judged
				return err
			}
			if err != nil {
				v.problem(err)
			}
			return context.Cause(ctx)
		})
	}
	return g.Wait()
}

// entry checks one entry and its local header.
func (v *verification) entry(ctx context.Context, c Content, r *record) error {
	start := r.offset + int64(len(r.local()))
	packed, sum := crc32.NewIEEE(), crc32.NewIEEE()
	var raw io.Reader = io.NewSectionReader(v.p.r, start, r.packed)
	if r.method == methodDeflate {
		raw = io.TeeReader(raw, packed)
	}
	content, err := r.content(verify.ContextReader(ctx, raw))
	if err != nil {
		return fmt.Errorf("entry %q: %w", c.Path, err)
	}
	content = io.TeeReader(content, sum)
	if err := v.content(ctx, c, content); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, raw); err != nil { // behind the end of a deflate stream
		return fmt.Errorf("entry %q: %w", c.Path, err)
	}
	if r.packCRC = packed.Sum32(); sum.Sum32() != r.crc {
		return fmt.Errorf("entry %q: the check sum of the ZIP is wrong", c.Path)
	}
	return v.local(r)
}

// content checks what an entry holds; the signature is not listed, and is
// checked by those who trust somebody.
func (v *verification) content(ctx context.Context, c Content, r io.Reader) error {
	if c.SHA256 == "" {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	var err error
	l, isLayer := v.layers[c.Path]
	t, isDelta := v.deltas[c.Path]
	switch {
	case isLayer:
		err = v.layer(ctx, l, c.checked(r))
	case isDelta:
		err = v.delta(ctx, t, c.checked(r))
	default:
		_, err = verify.Copy(ctx, io.Discard, c.checked(r))
	}
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Entries++
	v.report.Bytes += c.Size
	return nil
}

// local compares a local header with what it must be.
func (v *verification) local(r *record) error {
	want := r.local()
	got := make([]byte, len(want))
	if _, err := v.p.r.ReadAt(got, r.offset); err != nil {
		return fmt.Errorf("entry %q: %w", r.name, err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("entry %q: its header in the ZIP is not what it must be: the file was damaged or changed by another tool", r.name)
	}
	return nil
}

// directory compares all that stands behind the last entry with what it must
// be.
func (v *verification) directory() {
	last := v.records[len(v.records)-1]
	start := last.offset + int64(len(last.local())) + last.packed
	want := directory(v.records, start)
	if start+int64(len(want)) == v.p.size {
		got := make([]byte, len(want))
		if _, err := v.p.r.ReadAt(got, start); err != nil && err != io.EOF {
			v.problem(fmt.Errorf("directory of the ZIP: %w", err))
			return
		}
		if bytes.Equal(got, want) {
			return
		}
	}
	v.problem(errors.New("the directory of the ZIP is not what it must be: the file was damaged or changed by another tool"))
}
