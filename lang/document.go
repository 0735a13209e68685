package lang

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

const templateSuffix = ".tftpl"

// document renders a document block. Its file has the title as name and ends
// as the template does.
func (r *rootFrame) document(b *block) {
	b = r.sound(b)
	title, named := r.oneLine(b, "title")
	text, from, ok := r.rendered(b)
	if !named {
		return
	}
	extension := path.Ext(strings.TrimSuffix(from, templateSuffix))
	base := fileName(title)
	if base == "" || len(base)+len(extension) > maxFileName {
		r.report(failure(b.attrs["title"].Expr.Range(), "Invalid title", "The title %q gives no file name: it must hold a letter or digit, and be shorter than %d bytes.", head(title, 60), maxFileName))
		return
	}
	d := ManifestDocument{Name: b.name(), Title: title, Path: documentsDir + base + extension}
	for _, other := range r.out.Documents {
		if strings.EqualFold(other.Path, d.Path) {
			r.report(failure(b.attrs["title"].Expr.Range(), "Duplicate document", "The documents %q and %q have the same file name, %q. Give one of them another title.", other.Name, d.Name, d.Path))
			return
		}
	}
	r.out.Documents = append(r.out.Documents, d)
	if ok {
		r.addFile(d.Path, text, b.header)
	}
}

// maxFileName is the number of bytes that common file systems allow.
const maxFileName = 255

// fileName makes a file name of a title: what some operating system refuses in
// names becomes "-".
func fileName(title string) string {
	name := strings.Map(func(c rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, c) || unicode.IsControl(c) || !unicode.IsGraphic(c) || c == utf8.RuneError {
			return '-'
		}
		return c
	}, title)
	name = strings.Trim(name, ". ")
	if !strings.ContainsFunc(name, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }) {
		return ""
	}
	return name
}

// configFiles renders the config blocks of a container, mounts them, and labels
// the service with what they hold.
func (r *rootFrame) configFiles(b *block, c *ManifestContainer, service map[string]any) []string {
	var mounts []string
	h := sha256.New()
	places := make(map[string]*block)
	for _, cb := range b.blocks {
		if cb.kind != "config" || !r.checkTarget(cb, places) {
			continue
		}
		target := cb.name()
		places[target] = cb
		text, _, ok := r.rendered(r.sound(cb))
		if !ok || c.Host == "" {
			continue
		}
		entry := configEntry(c.Host, c.Name, target)
		c.Config = append(c.Config, ManifestConfigFile{Path: entry, Target: target})
		r.addFile(entry, text, cb.header)
		mounts = append(mounts, "./"+strings.TrimPrefix(entry, manifestDir+c.Host+"/")+":"+target+":ro")
	}
	slices.SortFunc(c.Config, func(x, y ManifestConfigFile) int { return strings.Compare(x.Path, y.Path) })
	for _, f := range c.Config {
		sum := sha256.Sum256(r.out.files[f.Path])
		h.Write(sum[:])
		h.Write([]byte(f.Target + "\x00"))
	}
	if len(c.Config) > 0 {
		service["labels"] = map[string]any{configLabel: "sha256:" + hex.EncodeToString(h.Sum(nil))}
	}
	return mounts
}

// checkTarget checks where a config file goes in the container.
func (r *rootFrame) checkTarget(b *block, places map[string]*block) bool {
	t := b.name()
	if !path.IsAbs(t) || path.Clean(t) != t || t == "/" || strings.ContainsAny(t, `\:`) || hasControl(t) || !utf8.ValidString(t) || len(t) > maxFileName {
		r.report(failure(b.header, "Invalid path", "%q is no place for a file in a container: write an absolute path in its shortest form, without backslashes and colons.", t))
		return false
	}
	for other, ob := range places {
		switch {
		case other == t:
			r.report(duplicateBlock(b, ob))
			return false
		case strings.HasPrefix(t, other+"/") || strings.HasPrefix(other, t+"/"):
			r.report(failure(b.header, "Invalid path", "The file %q and the file %q stand below each other.", t, other))
			return false
		}
	}
	return true
}

// rendered gives the text of a document or config block, and the file that it
// comes from. It is false where it is not known or in error.
func (r *rootFrame) rendered(b *block) (text, from string, ok bool) {
	template, content := b.attrs["template"], b.attrs["content"]
	if b.kind == "config" && (template == nil) == (content == nil) {
		r.report(failure(b.header, "Content missing or ambiguous", "A config block needs either template, a file of the project, or content, a text."))
		return "", "", false
	}
	if content != nil {
		text, ok = r.text(b, "content")
		return text, "", ok
	}
	name, ok := r.text(b, "template")
	if !ok {
		return "", "", false
	}
	p, ok := r.pathOf(name, template.Expr.Range())
	if !ok {
		return "", "", false
	}
	vars, ok := r.templateVars(b)
	if !ok {
		return "", p.Name, r.ids == nil
	}
	text, ok = r.template(p, vars)
	return text, p.Name, ok
}

// templateVars evaluates the attribute vars, parts of which may be unknown. It
// is false where its names are not known.
func (r *rootFrame) templateVars(b *block) (map[string]cty.Value, bool) {
	a := b.attrs["vars"]
	if a == nil {
		return nil, true
	}
	v, diags := a.Expr.Value(r.ctx)
	r.report(diags...)
	marks := cty.NewValueMarks()
	if isSensitive(v) {
		v, marks = v.Unmark()
	}
	switch {
	case diags.HasErrors() || !v.IsKnown():
		return nil, false
	case v.IsNull():
		return nil, true
	case v.IsMarked() || !v.Type().IsObjectType() && !v.Type().IsMapType():
		r.report(failure(a.Expr.Range(), "Wrong type", "The attribute \"vars\" needs a map: write { name = … }."))
		return nil, false
	}
	vars := v.AsValueMap()
	for name, e := range vars {
		vars[name] = e.WithMarks(marks)
	}
	return vars, true
}

// template renders a template of the project. It sees what the root definition
// file sees, and vars.
func (r *rootFrame) template(p *Path, vars map[string]cty.Value) (string, bool) {
	t, d := r.scope.project.template(p)
	if d != nil {
		r.report(d)
		return "", false
	}
	if !r.resolveEach(t.refs, vars) {
		return "", false
	}
	ctx := &hcl.EvalContext{Variables: maps.Clone(r.ctx.Variables), Functions: r.functions(p.Name)}
	maps.Copy(ctx.Variables, vars)
	v, diags := t.expr.Value(ctx)
	r.report(diags...)
	if diags.HasErrors() {
		return "", false
	}
	return r.templateText(p, v)
}

func (r *rootFrame) templateText(p *Path, v cty.Value) (string, bool) {
	if isSensitive(v) {
		var ok bool
		if v, ok = r.revealed(v); !ok {
			r.report(failure(p.Range, "Sensitive value not allowed", "What templates render is part of the patch and cannot hold a sensitive value."))
			return "", false
		}
	}
	if v.Type() != cty.String && v.Type().IsPrimitiveType() && v.IsKnown() && !v.IsNull() {
		v = cty.StringVal(primitiveText(v))
	}
	if v.IsKnown() && (v.IsNull() || v.Type() != cty.String) {
		r.report(failure(p.Range, "Wrong type", "The template %q gives no text.", p.Name))
		return "", false
	}
	if !v.IsKnown() {
		return "", r.ids == nil
	}
	return v.AsString(), true
}

// addFile gives the patch an entry.
func (r *rootFrame) addFile(name, text string, rng hcl.Range) {
	r.total += len(text)
	switch {
	case len(text) > maxRendered:
		r.report(failure(rng, "Rendered text too large", "The file %q would have more than %d MiB.", name, maxRendered>>20))
	case r.total > maxManifest && r.total-len(text) <= maxManifest:
		r.report(failure(rng, "Rendered text too large", "The documents and config files of site %q have more than %d MiB together.", r.site.Name, maxManifest>>20))
	case len(name) > 1024:
		r.report(failure(rng, "Invalid path", "The name of the file %q… is too long.", head(name, 60)))
	default:
		r.out.files[name] = []byte(text)
	}
}
