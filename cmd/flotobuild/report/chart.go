package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/flotobuild/flotobuild/planner"
)

// mostBars is how many images the chart shows, and mostParts how many layers of
// each.
const (
	mostBars  = 30
	mostParts = 12
)

// A chart shows the bytes that travel by image and layer, the largest first.
type chart struct {
	Bars    []bar
	Height  int
	Summary string
	More    string // what the chart leaves out; empty where it shows all
}

// A bar is an image. Positions are in pixels, widths in percent of the chart.
type bar struct {
	Label   string
	Y, TopY int
	Parts   []barPart
	Guess   bool // an estimate
}

// A barPart is a layer, or what is left of them.
type barPart struct {
	X, Width float64
	Pattern  int
	Text     string
}

// Pixels of a bar's row: a line of text, and the bar below it.
const (
	rowHeight = 44
	textLine  = 15
	barTop    = 20
)

// chartOf draws the images that sites get; nil where no size is known.
func chartOf(r *Report) *chart {
	var made []Made
	unknown := 0
	for _, m := range r.Images {
		switch {
		case !m.Carried:
		case m.Bytes > 0:
			made = append(made, m)
		case m.Size == after:
			unknown++
		}
	}
	slices.SortStableFunc(made, func(a, b Made) int { return cmp.Compare(b.Bytes, a.Bytes) })
	if len(made) == 0 {
		return nil
	}
	c := &chart{}
	shown := made[:min(len(made), mostBars)]
	for n, m := range shown {
		c.Bars = append(c.Bars, barOf(m, n, made[0].Bytes))
	}
	c.Height = len(shown) * rowHeight
	c.Summary = fmt.Sprintf("%s, the largest is %s with %s", Count(len(shown), "image"), made[0].Address, made[0].Size)
	if rest := made[len(shown):]; len(rest) > 0 {
		var sum int64
		for _, m := range rest {
			sum += m.Bytes
		}
		c.More = fmt.Sprintf("%s with %s altogether not shown", Count(len(rest), "smaller image"), Bytes(sum))
	}
	if unknown > 0 {
		if c.More != "" {
			c.More += "; "
		}
		c.More += "no estimate for " + Count(unknown, "image") + " " + after
	}
	return c
}

func barOf(m Made, n int, largest int64) bar {
	b := bar{
		Label: fmt.Sprintf("%s: %s", middle(m.Address, 34), m.Size),
		Y:     n*rowHeight + textLine, TopY: n*rowHeight + barTop,
		Guess: len(m.Layers) == 0,
	}
	share := func(bytes int64) float64 { return 100 * float64(bytes) / float64(largest) }
	if b.Guess {
		b.Parts = []barPart{{0, share(m.Bytes), 0, "estimate: " + m.Size}}
		return b
	}
	at, rest := 0.0, m.Bytes
	for _, l := range largestLayers(m.Layers) {
		b.Parts = append(b.Parts, barPart{at, share(l.Bytes), len(b.Parts) % 2, Bytes(l.Bytes) + " " + middle(l.Text, pageCells)})
		at += share(l.Bytes)
		rest -= l.Bytes
	}
	if rest > 0 {
		b.Parts = append(b.Parts, barPart{at, share(rest), len(b.Parts) % 2, Bytes(rest) + " in other layers"})
	}
	return b
}

// largestLayers are the largest of those that travel.
func largestLayers(layers []Layer) []Layer {
	var out []Layer
	for _, l := range layers {
		if l.Change == planner.ChangeCreate && !l.Again {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b Layer) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return out[:min(len(out), mostParts)]
}
