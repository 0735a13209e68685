package patch

import (
	"errors"
	"fmt"
	"slices"
)

// Is says whether a parent reference means this patch, or the release that it
// stands for.
func (h *Header) Is(ref ParentRef) bool {
	return h.Digest == ref.DescriptionDigest || h.Ref().DescriptionDigest == ref.DescriptionDigest
}

// Chain orders patches so that each applies on top of the one before it, and
// refuses those that are no such chain: of several sites, with a gap, forked, or
// less than two. The order of the arguments does not matter.
func Chain(patches []*Header) ([]*Header, error) {
	if err := checkSingle(patches); err != nil {
		return nil, err
	}
	c := &chain{patches: patches, depths: make(map[*Header]int)}
	for _, h := range patches {
		if _, err := c.depth(h); err != nil {
			return nil, err
		}
	}
	out := slices.Clone(patches)
	slices.SortFunc(out, func(a, b *Header) int {
		if c.depths[a] != c.depths[b] {
			return c.depths[a] - c.depths[b]
		}
		return Older(a.Description, b.Description)
	})
	if err := c.gap(out); err != nil {
		return nil, err
	}
	// The longest way to a patch leads over one of the depth before; where
	// every depth has one patch, each follows the one before it.
	for i := 1; i < len(out); i++ {
		if c.depths[out[i-1]] == c.depths[out[i]] {
			return nil, fmt.Errorf("patches %q and %q both follow %q: name those of one line only",
				out[i-1].Description.ID, out[i].Description.ID, c.parent(out[i]).Description.ID)
		}
	}
	return out, nil
}

// checkSingle checks the patches one by one.
func checkSingle(patches []*Header) error {
	if len(patches) < 2 {
		return fmt.Errorf("a chain has two patches at least, and here is %d", len(patches))
	}
	seen := make(map[ParentRef]string)
	for _, h := range patches {
		d, first := h.Description, patches[0].Description
		if d.SiteName != first.SiteName {
			return fmt.Errorf("patch %q is for site %q, and patch %q for site %q", d.ID, d.SiteName, first.ID, first.SiteName)
		}
		if other, ok := seen[h.Ref()]; ok {
			return fmt.Errorf("patches %q and %q bring the same release: name one of them", other, d.ID)
		}
		seen[h.Ref()] = d.ID
	}
	return nil
}

// chain is a search for the order of patches.
type chain struct {
	patches []*Header
	// depths are the numbers of patches on the longest way to each; -1 while
	// it is looked for.
	depths map[*Header]int
}

func (c *chain) depth(h *Header) (int, error) {
	if n, ok := c.depths[h]; ok {
		if n < 0 {
			// Digests cannot do that, but a forged release can.
			return 0, fmt.Errorf("patch %q is its own ancestor", h.Description.ID)
		}
		return n, nil
	}
	c.depths[h] = -1
	depth := 0
	for _, p := range c.patches {
		if !follows(h, p) {
			continue
		}
		n, err := c.depth(p)
		if err != nil {
			return 0, err
		}
		depth = max(depth, n+1)
	}
	c.depths[h] = depth
	return depth, nil
}

// follows says whether h applies on top of p.
func follows(h, p *Header) bool { return slices.ContainsFunc(h.Description.Flotobuild.Parents, p.Is) }

// parent gives the nearest patch that h applies on top of.
func (c *chain) parent(h *Header) *Header {
	var best *Header
	for _, p := range c.patches {
		if follows(h, p) && (best == nil || c.depths[p] > c.depths[best]) {
			best = p
		}
	}
	return best
}

// gap finds a second beginning. The patches are in order.
func (c *chain) gap(ordered []*Header) error {
	if len(ordered) < 2 || c.depths[ordered[1]] > 0 {
		return nil
	}
	var errs []error
	for _, h := range ordered[1:] {
		if c.depths[h] > 0 {
			break
		}
		d := h.Description
		if len(d.Flotobuild.Parents) == 0 {
			errs = append(errs, fmt.Errorf("patch %q is an initial one and follows no other: begin the chain with it", d.ID))
			continue
		}
		errs = append(errs, fmt.Errorf("patch %q follows %s, which is not among the patches", d.ID, ids(d.Flotobuild.Parents)))
	}
	return errors.Join(errs...)
}

// ids lists the ids of parents for a message.
func ids(refs []ParentRef) string {
	out := ""
	for i, r := range refs {
		if i > 0 {
			out += " or "
		}
		out += fmt.Sprintf("%q", r.ID)
	}
	return out
}
