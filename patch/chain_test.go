package patch

import (
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// fakeHeader makes the header of a patch with nothing in it. Ids are letters.
func fakeHeader(id string, parents ...string) *Header {
	d := &Description{ID: id, SiteName: "north", CreationDate: NewTime(time.Unix(int64(id[0]), 0))}
	for _, p := range parents {
		d.Flotobuild.Parents = append(d.Flotobuild.Parents, ParentRef{p, digest.FromString(p)})
	}
	return &Header{Description: d, Digest: digest.FromString(id)}
}

// standing makes a header stand for a release.
func standing(h *Header, release string) *Header {
	h.Description.Flotobuild.Release = &Release{ID: release, DescriptionDigest: digest.FromString(release)}
	return h
}

func elsewhere(h *Header) *Header {
	h.Description.SiteName = "south"
	return h
}

func TestChain(t *testing.T) {
	for name, c := range map[string]struct {
		in   []*Header
		want string // ids in order, or a part of the error
	}{
		"in order":         {[]*Header{fakeHeader("a"), fakeHeader("b", "a"), fakeHeader("c", "b")}, "abc"},
		"out of order":     {[]*Header{fakeHeader("c", "b"), fakeHeader("a"), fakeHeader("b", "a")}, "abc"},
		"incremental":      {[]*Header{fakeHeader("c", "b"), fakeHeader("b", "a")}, "bc"},
		"dates backwards":  {[]*Header{fakeHeader("a", "b"), fakeHeader("b", "c"), fakeHeader("c")}, "cba"},
		"several parents":  {[]*Header{fakeHeader("c", "a", "b"), fakeHeader("b", "a"), fakeHeader("a")}, "abc"},
		"other parent":     {[]*Header{fakeHeader("c", "x", "b"), fakeHeader("b", "a")}, "bc"},
		"over a release":   {[]*Header{fakeHeader("c", "b"), standing(fakeHeader("m", "a"), "b")}, "mc"},
		"gap":              {[]*Header{fakeHeader("a"), fakeHeader("c", "b"), fakeHeader("d", "c")}, `patch "c" follows "b", which is not among the patches`},
		"gap, two parents": {[]*Header{fakeHeader("a"), fakeHeader("c", "b", "x")}, `follows "b" or "x", which`},
		"two gaps":         {[]*Header{fakeHeader("a"), fakeHeader("c", "b"), fakeHeader("e", "d")}, `patch "e" follows "d"`},
		"two initial ones": {[]*Header{fakeHeader("a"), fakeHeader("b")}, `patch "b" is an initial one and follows no other`},
		"fork at the end":  {[]*Header{fakeHeader("a"), fakeHeader("b", "a"), fakeHeader("c", "a")}, `patches "b" and "c" both follow "a"`},
		"fork inside":      {[]*Header{fakeHeader("a"), fakeHeader("b", "a"), fakeHeader("c", "a"), fakeHeader("d", "b", "c")}, `both follow "a"`},
		"one":              {[]*Header{fakeHeader("a")}, "two patches at least, and here is 1"},
		"none":             {nil, "here is 0"},
		"twice":            {[]*Header{fakeHeader("a"), fakeHeader("a")}, "bring the same release"},
		"same release":     {[]*Header{fakeHeader("b", "a"), standing(fakeHeader("m"), "b")}, "bring the same release"},
		"other site":       {[]*Header{fakeHeader("a"), elsewhere(fakeHeader("b", "a"))}, `for site "south"`},
		"circle":           {[]*Header{fakeHeader("a", "b"), standing(fakeHeader("c", "a"), "b")}, "its own ancestor"},
	} {
		got, err := Chain(c.in)
		ids := ""
		for _, h := range got {
			ids += h.Description.ID
		}
		if err != nil {
			ids = err.Error()
		}
		if ids != c.want && (err == nil || !strings.Contains(ids, c.want)) {
			t.Errorf("%s: %s", name, ids)
		}
	}
}

func TestRebaseRefuses(t *testing.T) {
	s := newSite(t)
	d := s.describe(1, []Image{s.image("a", s.layer("a", "a"))})
	b, _ := Encode(d)
	one := &Header{Description: d, Digest: digest.FromBytes(b)}
	second := s.describe(2, []Image{s.image("a", s.layer("a", "b"))}, one)
	two := &Header{Description: second, Digest: digest.FromString("2")}
	for want, parents := range map[string][]*Header{
		"made for these parents already":     {one},
		`brings the release that the parent`: {two},
		`for site "south", and the release`:  {elsewhere(fakeHeader("x"))},
		`parent "x" stands twice`:            {fakeHeader("x"), fakeHeader("x")},
	} {
		if _, err := Rebase(two, parents); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := Rebase(one, nil); err == nil {
		t.Error("an initial patch was made an initial one")
	}
	full, err := Rebase(two, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := full.Check(); err != nil || len(full.Flotobuild.Transport) != 1 || full.Ref("").ID != second.ID || len(second.Flotobuild.Parents) != 1 {
		t.Errorf("%v: %+v", err, full)
	}
}

func TestDiff(t *testing.T) {
	s := newSite(t)
	base := s.layer("base", "base")
	same := s.image("same", base)
	a := s.describe(1, []Image{same, s.image("changed", base, s.layer("app", "1")), s.image("gone", s.layer("x", "x"))})
	s.conf["conf/new"], s.conf["conf/bin/run"] = "", "#!/bin/sh\n"
	s.modes["conf/bin/run"] = ModeFile
	delete(s.conf, "conf/Prüfung.txt")
	b := s.describe(2, []Image{same, s.image("changed", base, s.layer("app", "2")), s.image("fresh", base)})
	b.Comment = "more"
	d := Diff(&Header{Description: a}, &Header{Description: b})
	var got []string
	for _, i := range d.Images {
		text := string(i.Change) + " " + i.Name
		for _, l := range i.Layers {
			text += " " + string(l.Change)
		}
		got = append(got, text)
	}
	for _, f := range d.Files {
		got = append(got, string(f.Change)+" "+f.Path)
	}
	for _, x := range d.Attributes {
		got = append(got, x.Key)
	}
	want := "changed changed removed same added|added fresh same|removed gone removed|same same same|" +
		"removed conf/Prüfung.txt|changed conf/bin/run|added conf/new|flotobuild.version|revision|comment"
	// Sorted by name and by entry.
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
	if l := d.Layers; l.Added.Count != 1 || l.Removed.Count != 2 || l.Same.Count != 1 || l.Same.Size != base.Size {
		t.Errorf("%+v", l)
	}
	if d.Equal() || !Diff(&Header{Description: a}, &Header{Description: a}).Equal() {
		t.Error("Equal")
	}
}
