package report

import (
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/planner"
)

// imageOf tells of a changed image.
func imageOf(c *planner.ImageChange) *Image {
	i := &Image{Change: c.Change, Name: c.Name, Bytes: c.NewSize, Built: len(c.Layers) > 0}
	if c.OldID != "" {
		i.Old = fmt.Sprintf("%s, %s", Count(c.OldLayers, "layer"), Bytes(c.OldSize))
	}
	switch {
	case c.Change == planner.ChangeRemove:
		i.Note = "no container of the site uses it any more"
		return i
	case c.From != "":
		i.Note = fmt.Sprintf("the parent has it as %q", c.From)
		return i
	case i.Built:
		var travel int
		travel, i.Reused = countLayers(c.Layers)
		i.New = "no new layer"
		if travel > 0 {
			i.New = fmt.Sprintf("%s, %s", Count(travel, "new layer"), Bytes(c.NewSize))
		}
		i.Layers = layersOf(c)
	case c.NewSize > 0:
		i.New = after + ", " + estimate(c.NewSize) + " new"
	default:
		i.New = after
	}
	if c.Change == planner.ChangeUpdate {
		i.Why = reasons(c.Reasons)
	}
	return i
}

// countLayers counts layers that travel and those that do not; platforms may
// share some.
func countLayers(layers []planner.LayerChange) (travel, reused int) {
	seen := make(map[digest.Digest]bool)
	for _, l := range layers {
		switch {
		case seen[l.DiffID]:
		case l.Change == planner.ChangeCreate:
			travel++
		default:
			reused++
		}
		seen[l.DiffID] = true
	}
	return travel, reused
}

func layersOf(c *planner.ImageChange) []Layer {
	platforms := make(map[string]bool)
	for _, l := range c.Layers {
		platforms[l.Platform] = true
	}
	seen := make(map[digest.Digest]bool)
	out := make([]Layer, 0, len(c.Layers))
	for _, l := range c.Layers {
		text := Step(l.CreatedBy)
		if l.Step != "" {
			text = plain(l.Cause) + ": " + Step(l.Step)
		}
		if len(platforms) > 1 {
			text = "[" + plain(l.Platform) + "] " + text
		}
		if l.Delta > 0 {
			text += fmt.Sprintf(" (delta, instead of %s)", Bytes(l.Size))
		}
		layer := Layer{Change: l.Change, Bytes: l.Carried(), Text: text, Again: seen[l.DiffID]}
		if l.Change == planner.ChangeCreate && !seen[l.DiffID] {
			layer.Why = whyLayer(c, l)
		}
		seen[l.DiffID] = true
		out = append(out, layer)
	}
	return out
}

// whyLayer says what made a layer new. Of an image that is new it is no news.
func whyLayer(c *planner.ImageChange, l planner.LayerChange) string {
	if c.Change == planner.ChangeCreate {
		return ""
	}
	const most = 3
	var words []string
	for n, r := range l.Reasons {
		if n == most && len(l.Reasons) > most+1 {
			words = append(words, fmt.Sprintf("%d more of the reasons above", len(l.Reasons)-n))
			break
		}
		words = append(words, layerReason(r))
	}
	switch {
	case len(words) > 0:
		return strings.Join(words, "; ")
	case l.Follows != "":
		return "follows " + cause(l.Follows)
	}
	return "no input of it changed: the step gives something else each time, and had to run again"
}
