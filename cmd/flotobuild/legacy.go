package main

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/legacy"
)

// openLegacy opens a patch that floto itself wrote. It gives nil without an
// error where the file is none of those, so that what opens patches of today
// says what is wrong with it.
func openLegacy(name string) (*legacy.Reader, error) {
	p, err := legacy.Open(name)
	switch {
	case err == nil:
		return p, nil
	case legacy.IsOther(err):
		return nil, nil
	}
	return nil, err
}

// showLegacy prints the description of a patch of floto.
func (a *app) showLegacy(p *legacy.Reader, asJSON bool) {
	if asJSON {
		a.ui.printJSON(p.Raw())
		return
	}
	var b strings.Builder
	r := &descriptionRenderer{}
	d := p.Description
	r.line("%s", d.ID)
	kind := "initial patch of floto"
	if d.ParentID != "" {
		kind = "incremental patch of floto"
	}
	for _, f := range [][2]string{
		{"kind", kind},
		{"site", d.SiteName},
		{"name", d.Name},
		{"revision", d.Revision},
		{"comment", d.Comment},
		{"created", d.CreationDate.String()},
		{"author", d.Author},
		{"producer", d.Producer},
		{"root", d.RootDefinitionFile},
		{"parent", d.ParentID},
	} {
		if f[1] != "" {
			r.line("  %-9s %s", f[0], f[1])
		}
	}
	r.line("")
	r.line("%s:", count(len(d.ImageMap), "image"))
	for _, name := range slices.Sorted(maps.Keys(d.ImageMap)) {
		r.line("  %s  %s", name, d.ImageMap[name])
	}
	r.line("%s required, %d in this patch", count(len(d.RequiredImageIDs), "layer"), len(d.ContainedImageIDs))
	r.line("")
	r.line("patch file: %s, %s", count(len(p.Entries()), "entry"), byteSize(p.Size()))
	b.WriteString(r.b.String())
	a.ui.printf("%s", safe(b.String()))
}

// verifyLegacy checks a patch of floto as far as it can be checked; parents are
// looked for beside it.
func verifyLegacy(ctx context.Context, file string, p *legacy.Reader) (verification, error) {
	v := verification{File: file}
	parents := legacyParents(file, p)
	defer func() {
		for _, q := range parents {
			q.Close()
		}
	}()
	var err error
	v.Legacy, err = legacy.Verify(ctx, p, legacy.VerifyOptions{Parents: parents})
	if v.Legacy == nil {
		return v, err
	}
	v.OK, v.Complete = err == nil, v.Legacy.Complete
	return v, nil
}

// legacyParents opens the patches below one that stand in its folder.
func legacyParents(file string, p *legacy.Reader) []*legacy.Reader {
	if p.Description.ParentID == "" {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(globSafe(filepath.Dir(file)), "*"+patch.Extension))
	if err != nil {
		return nil
	}
	byID := make(map[string]*legacy.Reader)
	for _, name := range names {
		if q, err := openLegacy(name); err == nil && q != nil {
			if byID[q.Description.ID] != nil {
				q.Close()
				continue
			}
			byID[q.Description.ID] = q
		}
	}
	var out []*legacy.Reader
	for id := p.Description.ParentID; byID[id] != nil; {
		q := byID[id]
		delete(byID, id)
		out, id = append(out, q), q.Description.ParentID
	}
	for _, q := range byID {
		q.Close()
	}
	return out
}

// globSafe quotes a folder's name for a pattern.
func globSafe(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// showLegacyVerification prints what was checked of a patch of floto.
func (a *app) showLegacyVerification(v verification) {
	r := v.Legacy
	a.ui.printf("  site %q, patch of floto %s\n", r.SiteName, safe(r.ID))
	a.ui.printf("  structure of the ZIP: %s\n", byteSize(r.Size))
	a.ui.printf("  check sum of %s: %s\n", count(r.Entries, "entry"), byteSize(r.Bytes))
	a.ui.printf("  %s read as tar files\n", count(r.Layers, "layer"))
	a.ui.printf("  %s, %d of %d layers in this patch\n", count(r.Images, "image"), r.Carried, r.Required)
	switch {
	case r.Complete:
		a.ui.printf("  complete: every image has all its layers\n")
	case r.ParentID != "" && v.OK:
		a.ui.printf("  completeness not checked: layers below are not at hand\n")
		a.ui.warnf("the parent %s is not at hand, or one below it: lay them beside the patch", r.ParentID)
	}
	a.ui.warnf("%s: %s", v.File, legacy.Unchecked)
	for _, p := range r.Problems {
		a.ui.errorf("%s: %s", v.File, p)
	}
}
