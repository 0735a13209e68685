package engine

import (
	"context"

	"github.com/containerd/containerd/v2/core/content"
	containerdsnapshot "github.com/moby/buildkit/snapshot/containerd"
)

// restartingStore begins interrupted transfers anew. BuildKit would go on where
// one was cut off, but its reader of base images that come over a session cannot
// start in the middle: after a cancelled build each further one would fail with
// "unsupported offset".
type restartingStore struct{ content.Store }

func withRestarts(s *containerdsnapshot.Store) *containerdsnapshot.Store {
	return containerdsnapshot.NewContentStore(restartingStore{s.Store}, s.Namespace())
}

// Writer implements content.Ingester.
func (s restartingStore) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	w, err := s.Store.Writer(ctx, opts...)
	if err != nil {
		return nil, err
	}
	st, err := w.Status()
	if err == nil && st.Offset > 0 {
		err = w.Truncate(0)
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}
