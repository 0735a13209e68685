package lang

import (
	"github.com/zclconf/go-cty/cty"
)

// An imageSetDecl is an image_set block. It depends on its images.
type imageSetDecl struct {
	block   *block
	members []*node
}

func (d *imageSetDecl) evaluate(f *frame) cty.Value {
	set := &ImageSet{Module: f.scope.address(), Name: d.block.name(), Range: d.block.header}
	f.scope.sets[f.node.addr] = set
	images := make(map[string]cty.Value)
	byName := make(map[string]*Image)
	known := true
	for _, m := range d.members {
		im := m.decl.(*imageDecl)
		if im.made == nil && m.state != done {
			continue // part of a cycle
		}
		images[im.block.name()] = m.value
		known = known && m.value.IsKnown()
		for _, made := range im.made {
			if prev := byName[made.Name]; prev != nil {
				f.report(duplicateName(made.Name, "image", "in this set ", made.Range, prev.Range))
				continue
			}
			byName[made.Name] = made
			set.Images = append(set.Images, made)
		}
	}
	sortImages(set.Images)
	if !known {
		return cty.DynamicVal
	}
	return cty.ObjectVal(map[string]cty.Value{
		"address": cty.StringVal(f.node.addr),
		"name":    cty.StringVal(set.Name),
		"image":   cty.ObjectVal(images),
	})
}
