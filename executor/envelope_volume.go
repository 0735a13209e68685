package executor

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// volumeImages sees to it that the images which volumes are to hold can be read.
func (r *run) volumeImages(ctx context.Context) error {
	for _, v := range r.plan.Volumes {
		if v.Change == planner.ChangeNone {
			continue
		}
		if _, err := r.completeOne(ctx, v.Image); err != nil {
			return fmt.Errorf("cannot fill the volume %s: %w", v.ID, err)
		}
	}
	return nil
}

// stageVolumes writes the archives of volumes, and their records.
func (r *run) stageVolumes(ctx context.Context, out *outbox) error {
	for _, v := range r.plan.Volumes {
		if v.Change == planner.ChangeNone {
			continue
		}
		if err := r.stageVolume(ctx, out, v); err != nil {
			return fmt.Errorf("cannot write the volume %s: %w", v.ID, err)
		}
	}
	return nil
}

func (r *run) stageVolume(ctx context.Context, out *outbox, v *planner.VolumePlan) error {
	img, err := r.base(v.Image)
	if err != nil {
		return err
	}
	name := inside(planner.VolumeFile(v.ID))
	file := filepath.Join(out.dir, stagingDir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	record := planner.VolumeRecord{FormatVersion: planner.SealedVersion, Image: v.Image, Fingerprint: r.planned(v.Image).Fingerprint.Digest}
	img.Cache = nil // is for builds
	var total int64
	for _, b := range patch.Blobs([]patch.Image{img}) {
		total += b.Size
	}
	t := r.opts.Progress.transfer(fmt.Sprintf("writing volume %s", v.ID), total)
	record.Digest, record.Size, err = r.writeArchive(ctx, file, img, t)
	if t.end(err); err != nil {
		return err
	}
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+planner.RecordSuffix, append(text, '\n'), 0o666); err != nil {
		return err
	}
	if r.archives == nil {
		r.archives = make(map[string]int64)
	}
	r.archives[v.ID] = record.Size
	// Where a process is killed between the two, the file is not that of its
	// record, and is written again.
	out.names = append(out.names, name, name+planner.RecordSuffix)
	return nil
}

// A VolumeResult describes a volume that was written.
type VolumeResult struct {
	ID, Image string // UUID, and address
	File      string
	Size      int64 // bytes
}

func (r *run) volumeResults() []VolumeResult {
	var out []VolumeResult
	for _, v := range r.plan.Volumes {
		if size, ok := r.archives[v.ID]; ok {
			res := VolumeResult{v.ID, v.Image, r.path(planner.VolumeFile(v.ID)), size}
			r.observe.tell(Event{Type: EventVolume, ID: v.ID, Image: v.Image, File: res.File, Bytes: size})
			out = append(out, res)
		}
	}
	return out
}

func (r *run) removedOutputs() []string {
	var out []string
	for _, s := range r.plan.Strays {
		if !s.Kept {
			r.observe.tell(Event{Type: EventRemoved, File: r.path(s.Path)})
			out = append(out, r.path(s.Path))
		}
	}
	return out
}

// writeArchive writes an image as an OCI archive, and gives digest and size of
// the file. Blobs stream, and are checked on the way.
func (r *run) writeArchive(ctx context.Context, file string, img patch.Image, t *transfer) (digest.Digest, int64, error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return "", 0, err
	}
	sum := digest.Canonical.Digester()
	err = r.archive(ctx, io.MultiWriter(f, sum.Hash(), t), img)
	size, serr := f.Seek(0, io.SeekCurrent)
	return sum.Digest(), size, errors.Join(err, serr, f.Close())
}

// archive writes an image layout as a tar file: equal images give equal bytes.
func (r *run) archive(ctx context.Context, w io.Writer, img patch.Image) error {
	index, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{img.Descriptor},
	})
	if err != nil {
		return err
	}
	layout, err := json.Marshal(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	for _, small := range []struct {
		name string
		data []byte
	}{{ocispec.ImageLayoutFile, layout}, {ocispec.ImageIndexFile, index}} {
		if err := t.WriteHeader(&tar.Header{Name: small.name, Mode: 0o644, Size: int64(len(small.data))}); err != nil {
			return err
		}
		if _, err := t.Write(small.data); err != nil {
			return err
		}
	}
	for _, b := range patch.Blobs([]patch.Image{img}) {
		if err := r.archiveBlob(ctx, t, b); err != nil {
			return err
		}
	}
	return t.Close()
}

func (r *run) archiveBlob(ctx context.Context, t *tar.Writer, desc ocispec.Descriptor) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b, err := r.sources.Blob(ctx, desc.Digest)
	if err != nil {
		return err
	}
	in := reader(b)
	defer in.Close()
	name := path.Join(ocispec.ImageBlobsDir, desc.Digest.Algorithm().String(), desc.Digest.Encoded())
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: desc.Size}); err != nil {
		return err
	}
	_, err = io.Copy(t, verify.NewReader(in, fmt.Sprintf("blob %q", desc.Digest), desc.Size, desc.Digest))
	return err
}
