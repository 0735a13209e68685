package facts

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/planner"
)

// sealedFiles are the files of an output with its record.
func sealedFiles(folder, content string) map[string]string {
	s := &planner.Sealed{
		FormatVersion: planner.SealedVersion,
		Files:         []planner.File{{Path: "envelope.pb", Size: int64(len(content)), Digest: digest.FromString(content)}},
	}
	b, _ := planner.EncodeSealed(s)
	return map[string]string{folder + "/envelope.pb": content, folder + "/state.json": string(b)}
}

func volumeFiles(id, content string) map[string]string {
	record := fmt.Sprintf(`{"formatVersion":1,"image":"i","fingerprint":"f","size":%d,"digest":%q}`, len(content), digest.FromString(content))
	return map[string]string{"dist/volumes/" + id: content, "dist/volumes/" + id + ".json": record}
}

// What is below dist may be anything: only outputs with a record are told, and
// whether somebody has changed them.
func TestStrays(t *testing.T) {
	w := workspace(t, map[string]string{
		"dist/envelopes/readme.txt":             "not of an envelope",
		"dist/envelopes/e/notes.txt":            "nor this",
		"dist/envelopes/e/no-record/a.pb":       "a",
		"dist/envelopes/e/damaged/state.json":   "{",
		"dist/envelopes/e/link":                 "->whole",
		"dist/envelopes/e/missing/envelope.txt": "a",
		"dist/envelopes/e/more/note.txt":        "by hand",
		"dist/volumes/notes.txt":                "a",
		"dist/volumes/folder/":                  "",
	})
	for _, files := range []map[string]string{
		sealedFiles("dist/envelopes/e/whole", "a"), sealedFiles("dist/envelopes/e/known", "a"), sealedFiles("dist/envelopes/e/more", "a"),
		sealedFiles("dist/envelopes/.staging/e", "a"), sealedFiles("dist/envelopes/e/.hidden", "a"),
		sealedFiles("dist/envelopes/e/ünïcode and space", "a"), volumeFiles("whole", "v"), volumeFiles("known", "v"),
	} {
		tree(t, w.dir, files)
	}
	changed := sealedFiles("dist/envelopes/e/changed", "a")
	changed["dist/envelopes/e/changed/envelope.pb"] = "b"
	tree(t, w.dir, changed)
	cut := volumeFiles("cut", "volume")
	cut["dist/volumes/cut"] = "vol"
	tree(t, w.dir, cut)
	strays, err := w.Strays(t.Context(), func(path string) bool { return strings.HasSuffix(path, "/known") })
	check(t, err)
	var got []string
	for _, s := range strays {
		got = append(got, fmt.Sprint(s.Path, s.Kept))
	}
	slices.Sort(got)
	want := []string{
		"dist/envelopes/e/changedtrue", "dist/envelopes/e/moretrue", "dist/envelopes/e/wholefalse",
		"dist/envelopes/e/ünïcode and spacefalse", "dist/volumes/cuttrue", "dist/volumes/wholefalse",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Files in the place of folders are no outputs.
func TestStraysOfFiles(t *testing.T) {
	for _, name := range []string{"dist", "dist/envelopes", "dist/volumes"} {
		w := workspace(t, map[string]string{name: "a file"})
		strays, err := w.Strays(t.Context(), func(string) bool { return false })
		if err != nil || len(strays) > 0 {
			t.Errorf("%s: %v, %v", name, strays, err)
		}
	}
}

func TestVolume(t *testing.T) {
	w := workspace(t, volumeFiles("v", "volume"))
	if r, intact, err := w.Volume(t.Context(), "v"); err != nil || r == nil || !intact {
		t.Errorf("got %v, %v, %v", r, intact, err)
	}
	if r, _, err := w.Volume(t.Context(), "other"); err != nil || r != nil {
		t.Errorf("of a volume that is not there: %v, %v", r, err)
	}
	for _, text := range []string{"", "{}", `{"formatVersion":2}`, `{"formatVersion":1,"size":-1}`, `[`} {
		tree(t, w.dir, map[string]string{"dist/volumes/v.json": text})
		if r, _, err := w.Volume(t.Context(), "v"); err != nil || r != nil {
			t.Errorf("record %q: %v, %v", text, r, err)
		}
	}
}
