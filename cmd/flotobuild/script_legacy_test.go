package main

import (
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/legacy/legacytest"
)

// cmdFloto writes two patches as floto did into a folder: an initial one and an
// incremental one on top of it, of the two forms of ids. It sets FIRST and
// SECOND to their files.
func cmdFloto(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "floto FOLDER")
	const firstID, secondID = "2015-11-18T11-38-05.717Z-plant-2.1.6.north", "2016-01-02T03-04-05.678Z_plant_north"
	base := legacytest.NewLayer(nil, "etc/os-release", "ID=plant\n")
	one, two := legacytest.NewLayer(base, "app", "1\n"), legacytest.NewLayer(base, "app", "2\n")
	first := legacytest.New(firstID, "", map[string]*legacytest.Layer{"control": one}, []*legacytest.Layer{base, one})
	second := legacytest.New(secondID, firstID, map[string]*legacytest.Layer{"control": two}, []*legacytest.Layer{two}, base)
	second.Folders = true
	second.Entries = append(second.Entries, legacytest.Entry{Name: "documents/Manual.html", Content: "<h1>Manual</h1>\n"})
	for name, p := range map[string]*legacytest.Patch{"FIRST": first, "SECOND": second} {
		file := filepath.Join(ts.MkAbs(args[0]), p.Description["id"].(string)+patch.Extension)
		ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
		ts.Check(os.WriteFile(file, p.Bytes(), 0o644))
		ts.Setenv(name, file)
	}
}
