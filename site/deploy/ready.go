package deploy

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site/docker"
)

// ready does for all hosts what changes no container: it checks the Compose
// files, loads images and brings mounts.
func (r *run) ready(ctx context.Context, tasks []*task) error {
	for _, t := range tasks {
		if err := r.check(ctx, t); err != nil {
			return fmt.Errorf("host %q: %w", t.host, err)
		}
	}
	for _, t := range tasks {
		if err := r.load(ctx, t); err != nil {
			return fmt.Errorf("host %q: %w", t.host, err)
		}
		if err := r.fits(ctx, t); err != nil {
			return fmt.Errorf("host %q: %w", t.host, err)
		}
		if err := r.bringMounts(ctx, t); err != nil {
			return fmt.Errorf("host %q: %w", t.host, err)
		}
	}
	return nil
}

// fits checks that Compose can do what the steps need, now that the images are
// there.
func (r *run) fits(ctx context.Context, t *task) error {
	if len(t.loads) == 0 || !slices.ContainsFunc(t.steps, func(s Step) bool { return s.changes() }) {
		return nil
	}
	return r.compose.Fits(ctx, t.engine, t.loads[0].ID)
}

// check writes the Compose file of a host, and lets Compose read it.
func (r *run) check(ctx context.Context, t *task) error {
	if t.want.compose == nil {
		return nil
	}
	if err := r.writeCompose(t); err != nil {
		return err
	}
	return r.compose.Run(ctx, r.project(t, "unix:///"), "config", "--quiet")
}

func (r *run) writeCompose(t *task) error {
	if err := os.MkdirAll(r.path(hostsDir, t.host), 0o700); err != nil {
		return err
	}
	return atomicfile.WriteFile(r.path(hostsDir, t.host, composeFile), t.want.compose, 0o600)
}

// project is what Compose runs for a host; the engine listens at an address of
// this machine.
func (r *run) project(t *task, engine string) docker.Project {
	dir := r.path(hostsDir, t.host)
	return docker.Project{Name: t.want.project, File: r.path(hostsDir, t.host, composeFile), Dir: dir, Engine: engine}
}

// load sends the images that the engine lacks, and names all of them.
func (r *run) load(ctx context.Context, t *task) error {
	if t.release == nil {
		return nil
	}
	// Anew: other hosts may share the engine.
	loads, err := t.engine.PlanLoads(ctx, t.release.imagesOf(t.host))
	if err != nil {
		return err
	}
	for i := range loads {
		l := &loads[i]
		if !l.Present {
			e := Event{Kind: Loading, Host: t.host, Name: l.Image, Total: l.Size()}
			r.tell(e)
			err := t.engine.Load(ctx, r.site.Blobs(), l, func(n int64) {
				e.Done = n
				r.tell(e)
			})
			if err != nil {
				return err
			}
			r.tell(Event{Kind: Loaded, Host: t.host, Name: l.Image, Done: l.Size(), Total: l.Size()})
		}
		if err := t.engine.Tag(ctx, l.ID, t.tags[i]); err != nil {
			return err
		}
	}
	return nil
}

// bringMounts makes the mounts of a host where its engine sees them.
func (r *run) bringMounts(ctx context.Context, t *task) error {
	if len(t.want.mounts) == 0 {
		return nil
	}
	if t.engine.Local() {
		for _, d := range slices.Sorted(maps.Keys(t.want.mounts)) {
			if err := t.want.mounts[d].write(r.path(mountsDir)); err != nil {
				return fmt.Errorf("cannot bring files: %w", err)
			}
		}
		return nil
	}
	return r.sendMounts(ctx, t)
}

// complete ends the name of a file that says that the mount beside it is whole.
const complete = ".complete"

func (r *run) sendMounts(ctx context.Context, t *task) (err error) {
	f, err := t.engine.Folder(ctx, t.loads[0].ID, r.mountsOf(t.engine))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(context.WithoutCancel(ctx))) }()
	for _, d := range slices.Sorted(maps.Keys(t.want.mounts)) {
		has, err := f.Has(ctx, d.Encoded()+complete)
		if err != nil {
			return err
		}
		if has {
			continue
		}
		if err := sendMount(ctx, f, t.want.mounts[d]); err != nil {
			return err
		}
	}
	return nil
}

// sendMount sends a mount, and says then that it is whole: an engine that is
// stopped in between has none.
func sendMount(ctx context.Context, f *docker.Folder, m *mount) error {
	send := func(write func(*tar.Writer) error) error {
		pr, pw := io.Pipe()
		go func() {
			w := tar.NewWriter(pw)
			err := write(w)
			if err == nil {
				err = w.Close()
			}
			pw.CloseWithError(err)
		}()
		err := f.Put(ctx, pr)
		pr.CloseWithError(io.ErrClosedPipe)
		return err
	}
	if err := send(func(w *tar.Writer) error { return m.pack(w, m.digest) }); err != nil {
		return err
	}
	return send(func(w *tar.Writer) error {
		return w.WriteHeader(&tar.Header{Name: m.digest.Encoded() + complete, Mode: 0o600})
	})
}

// pack writes the mount as a tar, below a folder of its own.
func (m *mount) pack(w *tar.Writer, d digest.Digest) error {
	made := make(map[string]bool)
	var folders func(name string, mode int64) error
	folders = func(name string, mode int64) error {
		if made[name] || name == "." {
			return nil
		}
		made[name] = true
		if err := folders(path.Dir(name), 0o700); err != nil {
			return err
		}
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode})
	}
	if err := folders(d.Encoded(), 0o700); err != nil {
		return err
	}
	return m.each(func(name string, c patch.Content, r io.Reader) error {
		name = path.Join(d.Encoded(), name)
		if err := folders(path.Dir(name), 0o755); err != nil {
			return err
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(c.Mode.FileMode().Perm()), Size: c.Size}
		if c.Mode.FileMode()&fs.ModeSymlink != 0 {
			target, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			return w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: string(target), Mode: 0o777})
		}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		_, err := io.Copy(w, r)
		return err
	})
}
