package lsp

import (
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/lang"
)

// completeReference lists what may stand behind the last dot of a reference.
func (v *view) completeReference(c cursor) []completionItem {
	out := []completionItem{}
	before := c.path[:len(c.path)-1]
	for _, d := range v.declared(before) {
		kind := fieldItem
		if d.Kind == "module" {
			kind = moduleItem
		}
		detail := d.Kind
		if _, value, ok := v.value(d.Address); ok {
			detail = value
		}
		out = append(out, newItem(d.Name, kind, detail, d.Doc))
	}
	return append(out, v.members(before, c)...)
}

// declared lists the declarations that a reference can go on with.
func (v *view) declared(path []string) []lang.Declaration {
	o := v.outline()
	root, prefix := path[0], path[0]+"."
	switch {
	case len(path) == 1 && slices.Contains([]string{"var", "local", "root_definition", "image_set", "module"}, root):
	case root == "image_set" && len(path) == 3 && path[2] == "image":
		prefix = strings.Join(path, ".") + "."
	case root == "module" && len(path) > 1 && len(path) < 4:
		return v.outputs(o.Find("module." + path[1]))
	default:
		return nil
	}
	var out []lang.Declaration
	for _, d := range o.Declarations {
		if name, ok := strings.CutPrefix(d.Address, prefix); ok && name == d.Name {
			out = append(out, d)
		}
	}
	return out
}

func (v *view) outputs(module *lang.Declaration) []lang.Declaration {
	if module == nil {
		return nil
	}
	all := lang.OutlineFolder(v.files, module.Source).Declarations
	return slices.DeleteFunc(all, func(d lang.Declaration) bool { return d.Kind != "output" })
}

// members lists the names that the language itself gives to what a reference
// leads to.
func (v *view) members(path []string, c cursor) []completionItem {
	var out []completionItem
	prefix := strings.Join(path, ".") + "."
	for _, r := range v.language.References {
		rest, ok := strings.CutPrefix(r.Name, prefix)
		if r.Root == (v.kind == rootFile) && ok && !strings.Contains(rest, ".") && rest != strings.ToUpper(rest) && v.known(path[0], c) {
			out = append(out, newItem(rest, fieldItem, "", r.Doc))
		}
	}
	switch {
	case v.kind == configFile && path[0] == "image_set" && len(path) == 2:
		out = append(out, newItem("image", fieldItem, "the images of the set", ""), newItem("name", fieldItem, "", ""), newItem("address", fieldItem, "", ""))
	case v.kind == configFile && path[0] == "image_set" && len(path) > 3, v.kind == configFile && path[0] == "root_definition" && len(path) == 2:
		out = append(out, newItem("name", fieldItem, "", ""), newItem("address", fieldItem, "", ""))
	case v.kind == rootFile && path[0] == "images" && len(path) == 1:
		for _, im := range v.images() {
			out = append(out, newItem(im.Name, fieldItem, im.Address(), ""))
		}
	case v.kind == rootFile && prefix == "site.":
		out = append(out, newItem("vars", fieldItem, "the site's attribute vars", ""))
	case v.kind == rootFile && prefix == "site.vars.":
		for _, name := range v.siteVars() {
			out = append(out, newItem(name, fieldItem, "", ""))
		}
	case len(path) == 1 && slices.ContainsFunc(c.blocks, func(h header) bool { return h.kind == "dynamic" && slices.Contains(h.labels, path[0]) }):
		out = append(out, newItem("key", fieldItem, "", ""), newItem("value", fieldItem, "", ""))
	}
	return out
}

// siteVars lists the names that the sites of a root definition file give it.
func (v *view) siteVars() []string {
	if v.analysis == nil {
		return nil
	}
	var out []string
	for _, s := range v.analysis.Config.Sites {
		if s.RootDefinition == nil || s.RootDefinition.File.Name != v.doc.name {
			continue
		}
		for name := range s.Vars {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// value describes what an address of the document's folder has in the last
// evaluation.
func (v *view) value(address string) (typ, value string, ok bool) {
	if v.analysis == nil || v.kind != configFile {
		return "", "", false
	}
	return v.analysis.Value(v.dir(), address)
}

// rootDoc describes what references that begin with a name give.
func (v *view) rootDoc(root string) string {
	var out []string
	for _, r := range v.language.References {
		if name, _, _ := strings.Cut(r.Name, "."); name == root && r.Root == (v.kind == rootFile) {
			out = append(out, "`"+r.Name+"`: "+r.Doc)
		}
	}
	return strings.Join(out, "\n\n")
}
