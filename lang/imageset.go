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
	set := &ImageSet{Name: d.block.name(), Range: d.block.header}
	f.scope.sets[f.node.addr] = set
	images := make(map[string]cty.Value)
	byName := make(map[string]*Image)
	for _, m := range d.members {
		im := f.scope.images[m.addr]
		if im == nil {
			continue // part of a cycle
		}
		if prev := byName[im.Name]; prev != nil {
			f.report(failure(im.Range, "Duplicate image name",
				"An image named %q stands already in this set at %s. Give one of them another name.", im.Name, place(prev.Range)))
			continue
		}
		byName[im.Name] = im
		images[im.Label] = m.value
		set.Images = append(set.Images, im)
	}
	sortImages(set.Images)
	return cty.ObjectVal(map[string]cty.Value{
		"address": cty.StringVal(f.node.addr),
		"name":    cty.StringVal(set.Name),
		"image":   cty.ObjectVal(images),
	})
}
