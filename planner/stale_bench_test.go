package planner

import (
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
)

// BenchmarkStale compares plans of 1,000 sites that carry 100 images each.
func BenchmarkStale(b *testing.B) {
	sample := func() *Plan {
		p := &Plan{FormatVersion: FormatVersion}
		for n := range 100 {
			img := Image{Address: fmt.Sprint("image_set.s.image.i", n), Fingerprint: seal(map[string]string{"rootfs": fmt.Sprint(n)})}
			p.Images = append(p.Images, &ImagePlan{Image: img, Action: ActionReuse})
		}
		for n := range 1000 {
			s := &SitePlan{Site: Site{Name: fmt.Sprint("site", n)}, Change: ChangeNone}
			for _, i := range p.Images {
				s.Site.Images = append(s.Site.Images, SiteImage{Name: i.Address, Address: i.Address})
				s.Images = append(s.Images, ImageChange{Name: i.Address, Address: i.Address, Change: ChangeNone, OldID: digest.FromString("x")})
			}
			p.Sites = append(p.Sites, s)
		}
		return p
	}
	saved, now := sample(), sample()
	for b.Loop() {
		if why, err := Stale(saved, now); err != nil || why != nil {
			b.Fatal(why, err)
		}
	}
}
