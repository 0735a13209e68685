package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/relate"
	"github.com/flotobuild/flotobuild/site"
)

// parentsBeside finds the parents of a patch among the files of its folder, and
// the release that it stands for.
func (a *app) parentsBeside(file string, d *patch.Description) []*patch.Header {
	related := d.Flotobuild.Parents
	if d.Flotobuild.Release != nil {
		related = append(slices.Clone(related), d.Ref(""))
	}
	if len(related) == 0 {
		return nil
	}
	o, err := a.opener()
	if err != nil {
		return nil
	}
	files, err := o.List(folderOf(file))
	if err != nil {
		return nil
	}
	var out []*patch.Header
	for _, f := range files {
		if f.Header != nil && slices.ContainsFunc(related, f.Header.Is) {
			out = append(out, f.Header)
		}
	}
	return out
}

// deltaBases gathers what has the layers that the deltas of a patch build on:
// parents, their own parents as far as they stand beside them, and stores.
func (a *app) deltaBases(file string, r *patch.Reader, f *verifyFlags) (*relate.Hand, error) {
	hand := relate.NewHand(patchOpener{a})
	for _, name := range f.parents {
		p, err := hand.Patch(name)
		if err == nil {
			err = hand.Ancestors(folderOf(name), p)
		}
		if err != nil {
			return nil, errors.Join(err, hand.Close())
		}
	}
	for _, dir := range f.stores {
		if err := holdStore(hand, dir); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot use what -store names: %w", err), hand.Close())
		}
	}
	if len(f.parents) == 0 {
		if err := hand.Ancestors(folderOf(file), r); err != nil {
			return nil, errors.Join(err, hand.Close())
		}
	}
	return hand, nil
}

// holdStore adds the layers of a site's store.
func holdStore(hand *relate.Hand, dir string) error {
	s, err := site.Open(dir)
	if err != nil {
		return err
	}
	all, err := s.Layers()
	if err != nil {
		return err
	}
	for id, b := range all {
		err := hand.Hold(s.Blobs(), patch.Layer{DiffID: id, Digest: b.Digest, MediaType: b.MediaType, Size: b.Size})
		if err != nil {
			return err
		}
	}
	return nil
}

// showVerification prints what was checked of a file, and what is wrong with it.
func (a *app) showVerification(v verification, requireParent, trustChecked bool) {
	verdict := paint(a.ui.colorOut, green, "ok")
	if !v.OK {
		verdict = paint(a.ui.colorOut, red, "FAILED")
	}
	a.ui.printf("%s: %s\n", safe(v.File), verdict)
	if v.Volumes != nil {
		a.showVolumes(v.Volumes)
	}
	if v.Error != "" {
		a.ui.errorf("%s", v.Error)
		if v.Hint != "" {
			a.ui.hintf("%s", v.Hint)
		}
		return
	}
	if v.Legacy != nil {
		a.showLegacyVerification(v)
		return
	}
	if v.Receipt != nil {
		a.showReceiptVerification(v, trustChecked)
		return
	}
	r := v.Report
	a.ui.printf("  site %q, patch %s\n", r.SiteName, safe(r.ID))
	a.ui.printf("  structure and records of the ZIP: %s\n", byteSize(r.Size))
	a.ui.printf("  size and digest of %s: %s\n", count(r.Entries, "entry"), byteSize(r.Bytes))
	a.ui.printf("  content of %s against diff ids\n", count(r.Layers, "layer"))
	if r.Applied > 0 {
		a.ui.printf("  made from their deltas and compared: %s\n", count(r.Applied, "layer"))
	}
	if n := r.Deltas - r.Applied; n > 0 && v.OK {
		a.ui.printf("  only the headers of %s: the layers that they build on are not at hand\n", count(n, "delta"))
	}
	a.ui.printf("  %s, %d of %d ids in this patch\n", count(r.Images, "image"), r.Carried, r.Required)
	if len(r.Parents) == 0 && v.OK {
		a.ui.printf("  complete: an initial patch, with all that it needs\n")
	}
	for _, p := range r.Parents {
		a.showParent(p, requireParent)
	}
	a.showTrust(v, trustChecked)
	if v.Rebuilt != nil {
		a.showRebuilt(v)
	}
	for _, p := range r.Problems {
		a.ui.errorf("%s: %s", v.File, p)
	}
}

func (a *app) showParent(p patch.ParentReport, required bool) {
	switch {
	case !p.Checked:
		a.ui.printf("  completeness not checked: the parent is not at hand\n")
		text := "the parent %s is not at hand: lay it beside the patch, or name it with -parent"
		if required {
			a.ui.errorf(text, p.ID)
		} else {
			a.ui.warnf(text, p.ID)
		}
	case p.Missing > 0:
		a.ui.printf("  incomplete: %s neither here nor in the parent %s\n", count(p.Missing, "blob"), safe(p.ID))
	default:
		a.ui.printf("  complete together with %s\n", safe(p.ID))
	}
}
