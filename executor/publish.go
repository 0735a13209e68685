package executor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// Outputs are the names of the patch files in output folders, by folder. They
// tell at the end of an apply whether somebody else wrote a patch meanwhile.
type Outputs map[string]map[string]bool

// ReadOutputs lists folders, and removes what killed applies left in them. A
// folder that does not exist has nothing.
func ReadOutputs(dirs []string) (Outputs, error) {
	out := make(Outputs)
	for _, dir := range dirs {
		if out[dir] != nil {
			continue
		}
		if _, err := atomicfile.Sweep(dir); err != nil {
			return nil, fmt.Errorf("cannot use the output folder: %w", err)
		}
		names, err := patchNames(dir)
		if err != nil {
			return nil, fmt.Errorf("cannot use the output folder: %w", err)
		}
		out[dir] = names
	}
	return out, nil
}

// readOutputs lists the output folders of the plan's sites, unless the caller has
// done it.
func (r *run) readOutputs() error {
	if r.opts.Outputs != nil {
		return nil
	}
	var dirs []string
	for _, s := range r.plan.Sites {
		dirs = append(dirs, r.path(s.Patch.Output))
	}
	var err error
	r.opts.Outputs, err = ReadOutputs(dirs)
	return err
}

func patchNames(dir string) (map[string]bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	names := make(map[string]bool)
	for _, e := range entries {
		if patch.HasExtension(volume.TrimName(e.Name())) {
			names[e.Name()] = true
		}
	}
	return names, nil
}

// publishAll gives everything its name: envelopes and patches, or neither.
func (r *run) publishAll(ctx context.Context, drafts []*draft) error {
	out, err := r.stage(ctx)
	if err == nil {
		err = r.publish(ctx, drafts, out)
	}
	if out == nil || !r.hasOutputs() {
		return err
	}
	if err != nil && len(out.done) > 0 {
		return fmt.Errorf("%w; what was in these places before is below %q until the next apply", err, path.Join(outputDir(), stagingDir))
	}
	if cerr := out.clean(); cerr != nil && err == nil {
		r.warn("%v", cerr) // all is done, and the next apply cleans up
	}
	return err
}

// publish names all files. When one fails, those before it are taken back: a
// failed apply leaves no new patch, and no new envelope. Two projects may share a folder, and even a
// site: one of them publishes at a time, and whoever comes second is refused
// where the other has written a patch of a site of his.
func (r *run) publish(ctx context.Context, drafts []*draft, envelopes *outbox) error {
	byDir := make(map[string][]*draft)
	for _, d := range drafts {
		dir := r.path(d.site.Patch.Output)
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real // one lock a folder, or we would wait for ourselves
		}
		byDir[dir] = append(byDir[dir], d)
	}
	for _, dir := range slices.Sorted(maps.Keys(byDir)) {
		unlock, err := atomicfile.LockDir(ctx, dir, r.opts.lockWait())
		if err != nil {
			return fmt.Errorf("cannot publish patches: %w", err)
		}
		defer unlock()
	}
	for _, dir := range slices.Sorted(maps.Keys(byDir)) {
		if err := r.checkUnclaimed(dir, byDir[dir]); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := envelopes.publish(); err != nil {
		return err
	}
	if err := rename(drafts); err != nil {
		return errors.Join(err, envelopes.takeBack())
	}
	return nil
}

func rename(drafts []*draft) error {
	for i, d := range drafts {
		err := d.writer.Publish()
		if err == nil {
			continue
		}
		err = fmt.Errorf("cannot publish the patch of site %q: %w", d.site.Name, err)
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("%w: the same saved plan, or the same SOURCE_DATE_EPOCH, has given a patch with this id before; plan again, or change SOURCE_DATE_EPOCH", err)
		}
		for _, done := range drafts[:i] {
			for _, path := range done.writer.Paths() {
				err = errors.Join(err, os.Remove(path))
			}
		}
		return err
	}
	return nil
}

// checkUnclaimed fails where a patch of one of the sites has appeared since the
// plan was made: this one would not be made against the newest any more.
func (r *run) checkUnclaimed(dir string, drafts []*draft) error {
	names, err := patchNames(dir)
	if err != nil {
		return fmt.Errorf("cannot publish patches: %w", err)
	}
	var errs []error
	told := make(map[string]bool) // a patch may be in many volumes
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if r.known(drafts, name) {
			continue
		}
		id, isOf := r.claims(filepath.Join(dir, name))
		if told[id] {
			continue
		}
		told[id] = true
		for _, d := range drafts {
			if isOf(d.site.Name) {
				errs = append(errs, fmt.Errorf("cannot publish the patch of site %q: another apply has written the patch %q meanwhile: plan again, against that", d.site.Name, id))
			}
		}
	}
	return errors.Join(errs...)
}

// claims says what patch a file is, and of which site. One that cannot be read,
// such as an encrypted one without a key, is what its name says.
func (r *run) claims(path string) (string, func(site string) bool) {
	h, err := r.opts.Opener.Header(path)
	if err != nil {
		id := patch.TrimExtension(volume.TrimName(filepath.Base(path)))
		return id, func(site string) bool { return patch.NamedFor(path, site) }
	}
	return h.Description.ID, func(site string) bool { return site == h.Description.SiteName }
}

// known tells whether a patch file was there before.
func (r *run) known(drafts []*draft, name string) bool {
	return slices.ContainsFunc(drafts, func(d *draft) bool { return r.opts.Outputs[r.path(d.site.Patch.Output)][name] })
}

// lockWait is how long to wait for others that publish, which takes a moment.
func (o *Options) lockWait() time.Duration {
	return max(o.LockTimeout, 30*time.Second)
}
