package relate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/store"
)

// ErrExposed means that a plain file would hold what an encrypted one holds.
var ErrExposed = errors.New("everybody could read what is in an encrypted patch")

// WriteOptions say how a patch is written.
type WriteOptions struct {
	// Recipients are those whom it is encrypted for; none leave it plain.
	Recipients []crypt.Recipient
	// Sign signs it; nil leaves it unsigned. Signatures of other patches do not
	// cover it.
	Sign    patch.SignFunc
	Volumes patch.Volumes
}

// Write writes the patch that d describes into the folder dir and gives its
// path, or those of its volumes. d comes from patch.Merge or patch.Rebase of
// release: blobs are taken from the hand, everything else from release. A plain
// file is ErrExposed when a patch of the hand is encrypted. The error is a
// *MissingError where blobs are not at hand.
func (h *Hand) Write(ctx context.Context, dir string, d *patch.Description, release *patch.Reader, o WriteOptions) ([]string, error) {
	if len(o.Recipients) == 0 {
		if err := h.checkPlain(); err != nil {
			return nil, err
		}
	}
	var needed []ocispec.Descriptor
	for _, c := range d.Flotobuild.Contents {
		if strings.HasPrefix(c.Path, patch.BlobsDir) {
			needed = append(needed, ocispec.Descriptor{Digest: c.Digest(), Size: c.Size})
		}
	}
	if err := h.check(ctx, d, needed); err != nil {
		return nil, err
	}
	w, err := patch.CreateWith(dir, d, patch.CreateOptions{Recipients: o.Recipients, Sign: o.Sign})
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	err = w.AddAll(ctx, func(ctx context.Context, c patch.Content) (io.ReadCloser, error) {
		if strings.HasPrefix(c.Path, patch.DeltasDir) {
			return h.openDelta(c.Path)
		}
		if !strings.HasPrefix(c.Path, patch.BlobsDir) {
			return release.Open(c.Path)
		}
		b, err := h.Blob(ctx, c.Digest())
		if err != nil {
			return nil, err
		}
		return stream(b), nil
	})
	if err != nil {
		return nil, err
	}
	if err := w.Split(ctx, o.Volumes, nil); err != nil {
		return nil, fmt.Errorf("cannot finish: %w", err)
	}
	if err := w.Publish(); err != nil {
		return nil, fmt.Errorf("cannot finish: %w", err)
	}
	return w.Paths(), nil
}

// openDelta opens a delta that a patch of the hand carries.
func (h *Hand) openDelta(entry string) (io.ReadCloser, error) {
	for _, p := range h.patches {
		r, err := p.Open(entry)
		if !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
	}
	return nil, fs.ErrNotExist
}

// checkPlain refuses to write in clear text what may come from an encrypted patch.
func (h *Hand) checkPlain() error {
	for _, p := range h.patches {
		if p.Recipients() != nil {
			return fmt.Errorf("cannot write the patch: %w: %q", ErrExposed, p.Description.ID)
		}
	}
	return nil
}

// stream reads a blob from its beginning and closes it at the end.
func stream(b store.Blob) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(b, 0, b.Size()), b}
}
