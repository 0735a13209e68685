package patch

import (
	"context"
	"io"

	"github.com/flotobuild/flotobuild/internal/verify"
)

// mend reads an entry of a file in volumes before it is handed out, once: when
// it turns out wrong on the way it is too late to take it from other volumes.
// Where a damaged volume is the reason, parity makes up for it or the error
// names it. Files that are not in volumes have nothing to be mended with.
func (p *Reader) mend(ctx context.Context, e entry) error {
	if p.media == nil || p.media.Volumes == nil {
		return nil
	}
	if _, ok := p.sound.Load(e.Path); ok {
		return nil
	}
	check := func() error {
		r, err := p.content(e)
		if err == nil {
			_, err = verify.Copy(ctx, io.Discard, r)
		}
		return err
	}
	if err := p.media.Retry(ctx, check(), check); err != nil {
		return err
	}
	p.sound.Store(e.Path, true)
	return nil
}
