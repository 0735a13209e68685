package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A draft is the patch of one site before its bytes are written.
type draft struct {
	site      *planner.SitePlan
	parents   []*patch.Description // none for an initial patch
	desc      *patch.Description
	small     map[string][]byte               // entries that are in memory
	blobs     map[string]digest.Digest        // entries that are blobs or deltas
	layers    map[digest.Digest]digest.Digest // those of them that are layers: the blob of each
	deltas    map[digest.Digest]keptDelta     // by blob
	conf      map[string]planner.File         // entries that are files
	envelopes map[string]travelling           // entries of envelopes
	writer    *patch.Writer
}

// writeAll writes the patches of all sites that lack something, and gives them
// their names when all are complete and on the disk.
func (r *run) writeAll(ctx context.Context) ([]SiteResult, error) {
	var drafts []*draft
	results := make([]SiteResult, len(r.plan.Sites))
	places := make(map[*draft]int)
	for i, s := range r.plan.Sites {
		d, err := r.draft(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("cannot make the patch of site %q: %w", s.Name, err)
		}
		results[i].Site = s.Name
		if d == nil {
			continue
		}
		results[i].ID, places[d] = d.desc.ID, i
		drafts = append(drafts, d)
	}
	defer func() {
		for _, d := range drafts {
			if d.writer != nil {
				d.writer.Abort()
			}
		}
	}()
	if err := r.writeDrafts(ctx, drafts); err != nil {
		return nil, err
	}
	if err := checkSizes(drafts); err != nil {
		return nil, err
	}
	if err := r.publishAll(ctx, drafts); err != nil {
		return nil, err
	}
	for _, d := range drafts {
		if err := r.report(d, &results[places[d]]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// write writes the file of a draft, without giving it its name.
func (r *run) write(ctx context.Context, d *draft, s *shelf) error {
	dir := r.path(d.site.Patch.Output)
	if err := r.checkSize(ctx, d); err != nil {
		return err
	}
	recipients, err := Recipients(d.site.Patch.Encrypt)
	if err != nil {
		return err
	}
	w, err := patch.CreateWith(dir, d.desc, patch.CreateOptions{Sign: r.signer(d.site), Recipients: recipients})
	if err != nil {
		return err
	}
	d.writer = w
	var total int64
	for _, c := range d.desc.Flotobuild.Contents {
		total += c.Size
	}
	t := r.opts.Progress.transfer(fmt.Sprintf("[%s] writing patch %s", d.site.Name, d.desc.ID), total)
	err = r.addEntries(ctx, d, s, t)
	if t.end(err); err != nil {
		return err
	}
	return r.split(ctx, d)
}

func (r *run) addEntries(ctx context.Context, d *draft, s *shelf, t *transfer) error {
	for {
		c, more := d.writer.Next()
		if !more {
			return d.writer.Sync()
		}
		dgst, isBlob := d.blobs[c.Path]
		var err error
		if isBlob {
			err = r.addBlob(ctx, d, c, s, t)
		} else {
			err = r.addEntry(ctx, d, c, t)
		}
		if err != nil {
			return err
		}
		if blob, isLayer := d.layers[dgst]; isBlob && isLayer {
			r.observe.tell(Event{Type: EventLayer, Site: d.site.Name, Digest: blob, Bytes: c.Size, Delta: dgst != blob})
		}
	}
}

// addBlob adds a blob: from the patch that has got it already or, for the first
// one, from its source. Encrypted patches take each blob from its source: nothing
// can be copied out of them, so nobody is to wait for one.
func (r *run) addBlob(ctx context.Context, d *draft, c patch.Content, s *shelf, t *transfer) error {
	if d.site.Patch.Encrypt != nil {
		return r.addEntry(ctx, d, c, t)
	}
	stored, put, err := s.take(ctx, c.Digest())
	if err != nil {
		return err
	}
	if put == nil {
		return d.writer.AddStored(ctx, c.Path, stored, t.add)
	}
	defer func() { put(d.writer.Stored()) }()
	return r.addEntry(ctx, d, c, t)
}

func (r *run) addEntry(ctx context.Context, d *draft, c patch.Content, t *transfer) error {
	content, err := r.entry(ctx, d, c)
	if err != nil {
		return &entryError{c, fmt.Errorf("cannot read %q: %w", c.Path, err)}
	}
	in := &source{r: content}
	err = d.writer.Add(ctx, c.Path, io.TeeReader(in, t))
	if cerr := content.Close(); err == nil {
		err = cerr
	}
	if _, isConf := d.conf[c.Path]; err != nil && isConf && ctx.Err() == nil && !atomicfile.NoSpace(err) {
		err = fmt.Errorf("%w; if the file has changed since the plan was made, plan again", err)
	}
	if err != nil && (in.err != nil || damaged(err)) {
		err = &entryError{c, err}
	}
	return err
}

func (r *run) entry(ctx context.Context, d *draft, c patch.Content) (io.ReadCloser, error) {
	if b, ok := d.small[c.Path]; ok {
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	if dgst, ok := d.blobs[c.Path]; ok {
		b, err := r.sources.Blob(ctx, dgst)
		if isNotFound(err) {
			err = fmt.Errorf("%w: the engine has thrown it away meanwhile; apply again", err)
		}
		if err != nil {
			return nil, err
		}
		return reader(b), nil
	}
	if t, ok := d.envelopes[c.Path]; ok {
		return t.open()
	}
	f, ok := d.conf[c.Path]
	if !ok {
		return nil, errors.New("nothing gives its content")
	}
	name := r.path(f.Path)
	if f.Mode == planner.ModeSymlink {
		target, err := os.Readlink(name)
		return io.NopCloser(strings.NewReader(target)), err
	}
	return os.Open(name)
}

// report tells of a published patch.
func (r *run) report(d *draft, res *SiteResult) error {
	paths := d.writer.Paths()
	res.File, res.Size, res.Images = paths[0], d.writer.Size(), d.desc.Flotobuild.Images
	if x := d.writer.Volumes(); x != nil {
		res.Volumes, res.SHA256 = paths, x.SHA256
	}
	text, err := patch.Encode(d.desc)
	if err != nil {
		return err
	}
	res.Description = digest.FromBytes(text)
	r.observe.tell(Event{Type: EventPatch, Site: d.site.Name, ID: res.ID, File: res.File, Bytes: res.Size})
	old := r.parents.layers(d.site.Name)
	travelsAs := make(map[digest.Digest]int64)
	for _, k := range d.deltas {
		travelsAs[k.Transport.DiffID] = k.Size
	}
	seen := make(map[digest.Digest]bool)
	for _, i := range d.desc.Flotobuild.Images {
		for _, m := range i.Manifests {
			for _, l := range r.layerResults(i, m) {
				_, has := old[l.DiffID]
				l.Delta = travelsAs[l.DiffID]
				switch {
				case seen[l.DiffID]:
				case has:
					res.ReusedLayers = append(res.ReusedLayers, l)
				default:
					res.NewLayers = append(res.NewLayers, l)
				}
				seen[l.DiffID] = true
			}
		}
	}
	return nil
}

func (r *run) layerResults(i patch.Image, m patch.Manifest) []LayerResult {
	steps := make([]step, len(m.Layers))
	made := r.made[i.Address]
	if made != nil {
		steps = r.locate(&made.plan.Image, m.Layers)
	}
	var out []LayerResult
	for n, l := range m.Layers {
		lr := LayerResult{Image: i.Name, DiffID: l.DiffID, Size: l.Size, CreatedBy: l.CreatedBy}
		if steps[n].line > 0 {
			lr.Place = place(made.plan.Build, steps[n].line)
			lr.Step = steps[n].text
		}
		out = append(out, lr)
	}
	return out
}
