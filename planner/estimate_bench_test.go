package planner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
)

// BenchmarkDiffEstimates compares sites with a hundred images, each built on
// the one before, of which all changed.
func BenchmarkDiffEstimates(b *testing.B) {
	const images, layers = 100, 20
	for _, sites := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("sites=%d", sites), func(b *testing.B) {
			line := func(site string, inputs int) string {
				var words []string
				for n := range images {
					words = append(words, fmt.Sprintf("i%03d=%d.%d", n, n, inputs))
				}
				return site + ": " + strings.Join(words, " ")
			}
			var steps []string
			for n := range layers {
				steps = append(steps, fmt.Sprintf("RUN %d", n))
			}
			var parents []*patch.Description
			d := want(line("s0", 2))
			parent := have(line("s0", 1))
			for n := range parent.Flotobuild.Images {
				parent.Flotobuild.Images[n].Manifests = layered(steps...)
				if n > 0 {
					d.Images[n].DependsOn = []string{d.Images[n-1].Address}
				}
			}
			for n := range sites {
				s, p := *d.Sites[0], *parent
				s.Name, p.SiteName = fmt.Sprintf("s%d", n), fmt.Sprintf("s%d", n)
				if n > 0 {
					d.Sites = append(d.Sites, &s)
				}
				parents = append(parents, &p)
			}
			b.ReportAllocs()
			for b.Loop() {
				Diff(parents, d)
			}
		})
	}
}
