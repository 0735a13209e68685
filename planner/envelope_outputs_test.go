package planner

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
)

// What a parent's patch carries counts where the project has nothing, and only
// there.
func TestRestore(t *testing.T) {
	for name, c := range map[string]struct {
		local, carried bool
		site           []string
		version        string
		want           string
	}{
		"nothing anywhere":           {site: []string{"envelope.e"}, want: "create"},
		"in the patch":               {carried: true, site: []string{"envelope.e"}, want: "none from p"},
		"in the project, too":        {carried: true, local: true, site: []string{"envelope.e"}, want: "none"},
		"of a site without it":       {carried: true, want: "create"},
		"in the patch, another now":  {carried: true, site: []string{"envelope.e"}, version: "2", want: "update"},
		"of an envelope not at hand": {carried: true, site: []string{"envelope.other"}, want: "create"},
	} {
		e := testEnvelope()
		last := e.Devices[0].last
		if !c.local {
			e.Devices[0].last, e.Devices[0].intact = nil, false
		}
		if c.version != "" {
			e.Version = c.version
		}
		d := &Desired{Envelopes: []*Envelope{e}, Sites: []*Site{{Name: "s", Envelopes: c.site}}}
		d.Restore(func(site, envelope, device string) iter.Seq2[*Sealed, string] {
			return func(yield func(*Sealed, string) bool) {
				if site == "s" && envelope == "e" && device == "d" && c.carried {
					yield(last, "p")
				}
			}
		})
		got := diffEnvelope(e).Changes[0]
		text := got.Change
		if got.From != "" {
			text += " from " + got.From
		}
		if text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}

// Of parents of different releases the one counts that has what is wanted now.
func TestRestoreOfSeveral(t *testing.T) {
	for name, c := range map[string]struct {
		carried map[string][]string // versions, by site
		want    string
	}{
		"the first":        {map[string][]string{"a": {"1", "0"}, "b": {"0"}}, "none from a0"},
		"another parent":   {map[string][]string{"a": {"0", "1"}}, "none from a1"},
		"of another site":  {map[string][]string{"a": {"0"}, "b": {"0", "1", "2"}}, "none from b1"},
		"a site without":   {map[string][]string{"b": {"1"}}, "none from b0"},
		"none of them":     {map[string][]string{"a": {"0"}, "b": {"2"}}, "update 0"},
		"nothing anywhere": {nil, "create"},
	} {
		e := testEnvelope()
		last := *e.Devices[0].last
		e.Devices[0].last, e.Devices[0].intact = nil, false
		d := &Desired{Envelopes: []*Envelope{e}}
		for _, s := range []string{"a", "b"} {
			d.Sites = append(d.Sites, &Site{Name: s, Envelopes: []string{e.Address}})
		}
		d.Restore(func(site, _, _ string) iter.Seq2[*Sealed, string] {
			return func(yield func(*Sealed, string) bool) {
				for n, version := range c.carried[site] {
					record := last
					record.Version = version
					if !yield(&record, site+strconv.Itoa(n)) {
						return
					}
				}
			}
		})
		got := diffEnvelope(e).Changes[0]
		text := got.Change
		if got.From != "" {
			text += " from " + got.From
		}
		for _, reason := range got.Reasons {
			text += " " + reason.Old
		}
		if text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}

func TestDiffVolume(t *testing.T) {
	for name, c := range map[string]struct {
		volume Volume
		want   string
	}{
		"new":       {Volume{}, "create"},
		"unchanged": {Volume{last: &VolumeRecord{Fingerprint: "f"}, intact: true}, "none"},
		"image":     {Volume{last: &VolumeRecord{Fingerprint: "g"}, intact: true}, "update image"},
		"file":      {Volume{last: &VolumeRecord{Fingerprint: "f"}}, "update output"},
	} {
		d := &differ{
			images:  map[string]*Image{"i": {Fingerprint: patch.Fingerprint{Digest: "f"}}},
			lacking: make(map[string][]Reason),
		}
		c.volume.ID, c.volume.Image = "v", "i"
		got := d.volume(&c.volume)
		words := []string{got.Change}
		for _, r := range got.Reasons {
			words = append(words, r.Input)
		}
		if text := strings.Join(words, " "); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
		if made := len(d.lacking["i"]) > 0; made == (got.Change == ChangeNone) {
			t.Errorf("%s: the image is made: %v", name, made)
		}
	}
}

// A plan file cannot have anything removed or written but outputs.
func TestCheckOutputs(t *testing.T) {
	for path, want := range map[string]bool{
		"dist/envelopes/e/d": true, "dist/volumes/v": true,
		"": false, "/": false, "dist": false, "dist/envelopes": false, "dist/envelopes/e": false, "dist/envelopes/e/d/f": false,
		"dist/envelopes/../..": false, "dist/envelopes/e/..": false, "dist/envelopes//d": false, "dist/volumes/..": false,
		"dist/volumes/": false, "dist/volumes/a/b": false, "/dist/volumes/a": false, "src/a/b": false,
	} {
		p := &Plan{Strays: []Stray{{Path: path}}}
		if err := p.check(); (err == nil) != want {
			t.Errorf("stray %q: %v", path, err)
		}
	}
	for _, v := range []*VolumePlan{nil, {ID: "../v", Image: "i", Change: ChangeNone}, {ID: "v", Image: "other", Change: ChangeNone}, {ID: "v", Image: "i", Change: "x"}} {
		p := &Plan{Volumes: []*VolumePlan{v}, Images: []*ImagePlan{{Image: Image{Address: "i", Kind: KindRootfs, Rootfs: &Rootfs{}, Platforms: []string{"p"}}, Action: ActionReuse}}}
		if err := p.check(); err == nil {
			t.Errorf("volume %+v passes", v)
		}
	}
}

// What is removed or filled makes a saved plan stale.
func TestStaleOutputs(t *testing.T) {
	saved := &Plan{Strays: []Stray{{Path: "dist/envelopes/e/d"}}, Volumes: []*VolumePlan{{ID: "v"}}}
	if got := staleEnvelopes(saved, saved); len(got) > 0 {
		t.Errorf("the same plan: %q", got)
	}
	got := staleEnvelopes(saved, &Plan{Strays: []Stray{{Path: "dist/envelopes/e/d", Kept: true}}})
	want := []string{"the volumes that hold images", "outputs of envelopes that the configuration has no more"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Limits are judged before there is a creation date, and count it.
func TestSizeBeforeCreation(t *testing.T) {
	d := definition(&lang.Envelope{Name: "e", UUID: "2d4f1c5e-8a0b-4f3d-9c61-0b7e5a3d1f24", Blobs: []*lang.Blob{{Name: "a", Content: []byte("content")}}})
	before, err := d.Size()
	if err != nil {
		t.Fatal(err)
	}
	d.Created = time.Date(2026, 11, 22, 8, 9, 10, 123_000_000, time.UTC)
	if now, err := d.Size(); err != nil || now != before {
		t.Errorf("%d bytes, and %d were thought, %v", now, before, err)
	}
	d.Created = time.Date(2026, 11, 22, 8, 9, 10, 0, time.UTC)
	if now, err := d.Size(); err != nil || now > before {
		t.Errorf("%d bytes, and %d were thought, %v", now, before, err)
	}
}
