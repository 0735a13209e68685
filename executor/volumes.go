package executor

import (
	"context"
	"fmt"
	"strings"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// volumesOf says how the plan splits the file of a draft.
func volumesOf(d *draft) patch.Volumes {
	return patch.Volumes{Size: d.site.Patch.VolumeSize, Parity: d.site.Patch.Parity}
}

// layout splits the file of a draft, which has size bytes; nil for one file.
func layout(d *draft, size int64) (*volume.Layout, error) {
	name, err := patch.FileName(d.desc.ID)
	if err != nil {
		return nil, err
	}
	if d.site.Patch.Encrypt != nil {
		name = strings.TrimSuffix(name, patch.Extension) + patch.EncryptedExtension
	}
	return volumesOf(d).Layout(name, size)
}

// split writes the volumes of a draft, where the plan wants them.
func (r *run) split(ctx context.Context, d *draft) error {
	l, err := layout(d, d.writer.Size())
	if l == nil || err != nil {
		return err
	}
	t := r.opts.Progress.transfer(fmt.Sprintf("[%s] writing %d volumes", d.site.Name, l.Volumes()), l.Size+int64(l.Parity)*l.Payload)
	err = d.writer.Split(ctx, volumesOf(d), t)
	t.end(err)
	return err
}
