package executor

import (
	"fmt"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
	"github.com/flotobuild/flotobuild/planner"
)

// signer gives what signs the patch of a site; nil where nothing does.
func (r *run) signer(s *planner.SitePlan) patch.SignFunc {
	if len(s.Patch.SignKeys) == 0 {
		return nil
	}
	return func(description, entry []byte) ([]byte, error) {
		for _, name := range s.Patch.SignKeys {
			k, ok := r.opts.Keys[name]
			if !ok {
				return nil, fmt.Errorf("cannot sign: the key %q is not at hand", name)
			}
			var err error
			if entry, err = sign.Add(entry, description, k); err != nil {
				return nil, fmt.Errorf("key %q: %w", name, err)
			}
		}
		return entry, nil
	}
}
