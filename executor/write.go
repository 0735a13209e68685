package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A draft is the patch of one site before its bytes are written.
type draft struct {
	site      *planner.SitePlan
	parents   []*patch.Description // none for an initial patch
	desc      *patch.Description
	small     map[string][]byte        // entries that are in memory
	blobs     map[string]digest.Digest // entries that are blobs
	layers    map[digest.Digest]bool   // those of them that are layers
	conf      map[string]planner.File  // entries that are files
	envelopes map[string]travelling    // entries of envelopes
	writer    *patch.Writer
}

// writeAll writes the patches of all sites that lack something, and gives them
// their names when all are complete.
func (r *run) writeAll(ctx context.Context) ([]SiteResult, error) {
	var drafts []*draft
	var results []SiteResult
	for _, s := range r.plan.Sites {
		d, err := r.draft(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("cannot make the patch of site %q: %w", s.Name, err)
		}
		if d == nil {
			results = append(results, SiteResult{Site: s.Name})
			continue
		}
		drafts = append(drafts, d)
		results = append(results, SiteResult{Site: s.Name, ID: d.desc.ID})
	}
	defer func() {
		for _, d := range drafts {
			if d.writer != nil {
				d.writer.Abort()
			}
		}
	}()
	for _, d := range drafts {
		if err := r.write(ctx, d); err != nil {
			return nil, fmt.Errorf("cannot write the patch of site %q: %w", d.site.Name, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if err := checkSizes(drafts); err != nil {
		return nil, err
	}
	if err := r.publishAll(ctx, drafts); err != nil {
		return nil, err
	}
	for _, d := range drafts {
		i := slices.IndexFunc(results, func(s SiteResult) bool { return s.Site == d.site.Name })
		if err := r.report(d, &results[i]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// publishAll gives everything its name: envelopes and patches, or neither.
func (r *run) publishAll(ctx context.Context, drafts []*draft) error {
	out, err := r.stage(ctx)
	if err == nil {
		err = out.publish()
	}
	if err == nil {
		if err = publish(drafts); err != nil {
			err = errors.Join(err, out.takeBack())
		}
	}
	if out == nil || len(r.sealed) == 0 {
		return err
	}
	if cerr := out.clean(); cerr != nil && err == nil {
		r.warn("%v", cerr) // all is done, and the next apply cleans up
	}
	return err
}

// publish names all files. When one fails, those before it are taken back: a
// failed apply leaves no new patch.
func publish(drafts []*draft) error {
	for i, d := range drafts {
		err := d.writer.Publish()
		if err == nil {
			continue
		}
		err = fmt.Errorf("cannot publish the patch of site %q: %w", d.site.Name, err)
		for _, done := range drafts[:i] {
			err = errors.Join(err, os.Remove(done.writer.Path()))
		}
		return err
	}
	return nil
}

// write writes the file of a draft, without giving it its name.
func (r *run) write(ctx context.Context, d *draft) error {
	dir := r.path(d.site.Patch.Output)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("cannot create the output folder: %w", err)
	}
	if err := r.checkSize(ctx, d); err != nil {
		return err
	}
	w, err := patch.Create(dir, d.desc)
	if err != nil {
		return err
	}
	d.writer = w
	var total int64
	for _, c := range d.desc.Flotobuild.Contents {
		total += c.Size
	}
	t := r.opts.Progress.transfer(fmt.Sprintf("[%s] writing patch %s", d.site.Name, d.desc.ID), total)
	err = r.addEntries(ctx, d, t)
	t.end(err)
	return err
}

func (r *run) addEntries(ctx context.Context, d *draft, count io.Writer) error {
	for {
		c, more := d.writer.Next()
		if !more {
			return d.writer.Finish()
		}
		content, err := r.entry(ctx, d, c)
		if err != nil {
			return fmt.Errorf("cannot read %q: %w", c.Path, err)
		}
		err = d.writer.Add(ctx, c.Path, io.TeeReader(content, count))
		if cerr := content.Close(); err == nil {
			err = cerr
		}
		if _, isConf := d.conf[c.Path]; err != nil && isConf && ctx.Err() == nil {
			return fmt.Errorf("%w; if the file has changed since the plan was made, plan again", err)
		}
		if err != nil {
			return err
		}
		if dgst, ok := d.blobs[c.Path]; ok {
			r.holders.set(dgst, d.writer) // the next patch copies it from this one
			if d.layers[dgst] {
				r.observe.tell(Event{Type: EventLayer, Site: d.site.Name, Digest: dgst, Bytes: c.Size})
			}
		}
	}
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
	st, err := os.Stat(d.writer.Path())
	if err != nil {
		return err
	}
	res.File, res.Size, res.Images = d.writer.Path(), st.Size(), d.desc.Flotobuild.Images
	text, err := patch.Encode(d.desc)
	if err != nil {
		return err
	}
	res.Description = digest.FromBytes(text)
	r.observe.tell(Event{Type: EventPatch, Site: d.site.Name, ID: res.ID, File: res.File, Bytes: res.Size})
	old := r.parents.layers(d.site.Name)
	seen := make(map[digest.Digest]bool)
	for _, i := range d.desc.Flotobuild.Images {
		for _, m := range i.Manifests {
			for _, l := range r.layerResults(i, m) {
				_, has := old[l.DiffID]
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
