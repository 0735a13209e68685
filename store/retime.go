package store

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/verify"
)

// Retime puts a layer into the store whose files have times that do not depend
// on when they were made: those later than latest become latest or, with all,
// every time does. r is the blob, read to its end and best checked meanwhile;
// mediaType says how it is compressed. Nil without an error says that no time
// would change: the layer can stay as it is.
func (s *Store) Retime(ctx context.Context, r io.Reader, mediaType string, c Compression, latest time.Time, all bool) (*Layer, error) {
	l, err := s.retime(ctx, r, mediaType, c, latest, all)
	if err != nil {
		return nil, fmt.Errorf("cannot set the times of a layer: %w", err)
	}
	return l, nil
}

func (s *Store) retime(ctx context.Context, r io.Reader, mediaType string, c Compression, latest time.Time, all bool) (*Layer, error) {
	plain, err := Decompress(mediaType, verify.ContextReader(ctx, r))
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	w, err := s.Writer()
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	z, err := c.NewWriter(w)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	changed, err := retimeEntries(tar.NewWriter(io.MultiWriter(hash, z)), tar.NewReader(plain), latest, all)
	if err := errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	// Padding behind the end marker, and a check sum at the end of the blob.
	for _, rest := range []io.Reader{plain, r} {
		if _, err := verify.Copy(ctx, io.Discard, rest); err != nil {
			return nil, err
		}
	}
	if !changed {
		return nil, nil
	}
	desc, err := w.Commit()
	if err != nil {
		return nil, err
	}
	desc.MediaType = c.MediaType()
	return &Layer{digest.NewDigest(digest.SHA256, hash), desc}, nil
}

// retimeEntries copies a tar file and tells whether any time changed.
func retimeEntries(out *tar.Writer, in *tar.Reader, latest time.Time, all bool) (bool, error) {
	buf := make([]byte, 256<<10)
	changed := false
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return changed, out.Close()
		}
		if err != nil {
			return false, err
		}
		for _, t := range []*time.Time{&h.ModTime, &h.AccessTime, &h.ChangeTime} {
			if !t.IsZero() && (t.After(latest) || all && !t.Equal(latest)) {
				*t, changed = latest, true
			}
		}
		if err := copyEntry(out, in, h, buf); err != nil {
			return false, fmt.Errorf("entry %q: %w", h.Name, err)
		}
	}
}
