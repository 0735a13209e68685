package executor

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// date takes the date of an exact plan, on which every byte of its patches
// depends, instead of the one at hand.
func (o *Options) date(plan *planner.Plan) error {
	if plan.Created.IsZero() {
		return nil
	}
	at := plan.Created.Time
	if o.Epoch != nil && !plan.SourceDateEpoch {
		return fmt.Errorf("cannot follow the plan: SOURCE_DATE_EPOCH is %s, and the plan was made without it: unset it, or plan again", utc(*o.Epoch))
	}
	if o.Epoch != nil && !o.Epoch.Equal(at) {
		return fmt.Errorf("cannot follow the plan: SOURCE_DATE_EPOCH is %s, and the plan was made with %s: unset it, or plan again", utc(*o.Epoch), utc(at))
	}
	o.Now, o.Epoch = at, nil
	if plan.SourceDateEpoch {
		o.Epoch = &at
	}
	return nil
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// checkSize holds a patch to what an exact plan says of it, before it is
// written.
func (r *run) checkSize(ctx context.Context, d *draft) error {
	if !d.site.Size.Exact {
		return nil
	}
	n, err := r.measure(ctx, d)
	if err != nil {
		return err
	}
	if want := d.site.Size.Patch; n != want {
		return fmt.Errorf("it would have %d bytes, and the plan says %d: another flotobuild, or an engine with other compressed layers, has made the plan; plan again", n, want)
	}
	return nil
}

// measure gives the size of the file that write makes of a draft.
func (r *run) measure(ctx context.Context, d *draft) (int64, error) {
	n, err := patch.Measure(ctx, d.desc, func(ctx context.Context, c patch.Content) (io.ReadCloser, error) {
		return r.entry(ctx, d, c)
	})
	if err != nil {
		return 0, err
	}
	return encryptedSize(n, d.site.Patch.Encrypt)
}
