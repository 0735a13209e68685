package main

import (
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/planner"
)

// mostLayerReasons is how many reasons of a layer are listed without -detail.
const mostLayerReasons = 3

// built tells what a build gave for an image: the layers that travel with what
// made each, and how many do not.
func (r *planRenderer) built(c planner.ImageChange, line, old string) {
	travel, reused := countLayers(c.Layers)
	gave := "no new layer"
	if travel > 0 {
		gave = fmt.Sprintf("%s, %s", count(travel, "new layer"), byteSize(c.NewSize))
	}
	if c.Change == planner.ChangeUpdate {
		gave = old + " → " + gave
	}
	r.line("%s: %s", line, gave)
	if c.Change == planner.ChangeUpdate {
		r.reasons(c.Reasons)
	}
	seen := make(map[digest.Digest]bool)
	for _, l := range c.Layers {
		if l.Change == planner.ChangeCreate || r.detail {
			r.layer(c, l, seen[l.DiffID])
		}
		seen[l.DiffID] = true
	}
	if reused > 0 && !r.detail {
		r.grey("            # %s hidden that the parent has, -detail lists them", count(reused, "layer"))
	}
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

func (r *planRenderer) layer(c planner.ImageChange, l planner.LayerChange, again bool) {
	text := step(l.CreatedBy)
	if l.Step != "" {
		text = l.Cause + ": " + step(l.Step)
	}
	if platforms(c) > 1 {
		text = "[" + l.Platform + "] " + text
	}
	if l.Change != planner.ChangeCreate {
		r.line("            %9s  %s %s", byteSize(l.Size), safe(text), r.paint(grey, "# reused"))
		return
	}
	r.line("          %s %9s  %s", r.symbol(planner.ChangeCreate), byteSize(l.Size), safe(text))
	if why := r.why(c, l); why != "" && !again {
		r.grey("                         # %s", safe(why))
	}
}

func platforms(c planner.ImageChange) int {
	seen := make(map[string]bool)
	for _, l := range c.Layers {
		seen[l.Platform] = true
	}
	return len(seen)
}

// why says what made a layer new. Of an image that is new it is no news.
func (r *planRenderer) why(c planner.ImageChange, l planner.LayerChange) string {
	if c.Change == planner.ChangeCreate {
		return ""
	}
	var words []string
	for n, reason := range l.Reasons {
		if n == mostLayerReasons && !r.detail && len(l.Reasons) > mostLayerReasons+1 {
			words = append(words, fmt.Sprintf("%d more", len(l.Reasons)-n))
			break
		}
		words = append(words, layerReason(reason))
	}
	switch {
	case len(words) > 0:
		return strings.Join(words, "; ")
	case l.Follows != "":
		return "follows " + cause(l.Follows)
	}
	return "no input of it changed: the step gives something else each time, and had to run again"
}

// layerReason is reasonText as it fits a layer: of an image that others made,
// nothing is known of the steps.
func layerReason(r planner.Reason) string {
	if r.Input == "source" {
		return "in the new version only"
	}
	return reasonText(r)
}

// cause names where the layers below come from: a place, or an input.
func cause(s string) string {
	kind, name, _ := strings.Cut(s, ":")
	switch kind {
	case "image", "base":
		return "base image " + name
	case "rootfs":
		return "the root file system"
	}
	return s
}

// exactSize tells the bytes of the patch file.
func (r *planRenderer) exactSize(s planner.Size) {
	layers := "no new layer"
	if s.NewLayers > 0 {
		layers = byteSize(s.NewLayers) + " of it new layers"
	}
	if s.Volumes > 0 {
		layers += ", on " + count(s.Volumes, "media volume")
	}
	r.line("        size = %d bytes (%s), %s", s.Patch, byteSize(s.Patch), layers)
}

// estimate tells what new layers may have, as far as the parent gives an idea.
func estimate(n int64) string { return "~" + byteSize(n) }

// total adds up the patches of all sites of an exact plan.
func (r *planRenderer) total() {
	var bytes int64
	patches := 0
	for _, s := range r.plan.Sites {
		if s.Change == planner.ChangeNone {
			continue
		}
		if !s.Size.Exact {
			return
		}
		bytes += s.Size.Patch
		patches++
	}
	if patches == 0 {
		return // envelopes alone
	}
	r.line("%s %d bytes (%s) in %s.", r.paint(bold, "Size:"), bytes, byteSize(bytes), count(patches, "patch"))
}
