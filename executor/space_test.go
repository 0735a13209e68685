package executor

import (
	"testing"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// Beside a patch in volumes stand its volumes until it is done, and encryption
// takes more than the patch.
func TestNeeded(t *testing.T) {
	const size = 1_000_000
	d := &patch.Description{ID: "2026-01-01T00-00-00.000Z-a-1.0.0.north", Flotobuild: patch.Additions{
		Contents: []patch.Content{{Path: "images/blobs/sha256/00", Size: size}},
	}}
	need := func(change func(*planner.Patch)) int {
		s := &planner.SitePlan{}
		change(&s.Patch)
		return int(needed([]*draft{{desc: d, site: s}}))
	}
	plain := need(func(*planner.Patch) {})
	if plain != size {
		t.Errorf("a plain patch needs %d bytes; want %d", plain, size)
	}
	if n := need(func(p *planner.Patch) { p.VolumeSize = 2 * size }); n != plain {
		t.Errorf("a patch that fits into one volume needs %d bytes", n)
	}
	volumes := need(func(p *planner.Patch) { p.VolumeSize = 260_000 })
	if volumes <= 2*size || volumes > 2*size+20_000 {
		t.Errorf("a patch in volumes needs %d bytes", volumes)
	}
	parity := need(func(p *planner.Patch) { p.VolumeSize, p.Parity = 260_000, 1 })
	if parity < volumes+200_000 {
		t.Errorf("with parity it needs %d bytes, and %d without", parity, volumes)
	}
	encrypt := &planner.Encryption{PassphraseEnv: "PHRASE"}
	if n := need(func(p *planner.Patch) { p.Encrypt = encrypt }); n <= plain {
		t.Errorf("encrypted it needs %d bytes", n)
	}
}
