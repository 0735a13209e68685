package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flotobuild/flotobuild/patch"
)

// scriptCommands are the commands that scripts have beyond testscript's own.
func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"newest":        cmdNewest,
		"floto":         cmdFloto,
		"shuffled":      cmdShuffled,
		"patches":       cmdPatches,
		"diffids":       cmdDiffIDs,
		"json":          cmdJSON,
		"entry":         cmdEntry,
		"flip":          cmdFlip,
		"truncate":      cmdTruncate,
		"holdlock":      cmdHoldLock,
		"ownengine":     cmdOwnEngine,
		"endengine":     cmdEndEngine,
		"lacking":       cmdLacking,
		"layerblobs":    cmdBlobs,
		"needs":         cmdNeeds,
		"validimages":   cmdValidImages,
		"streamable":    cmdStreamable,
		"interrupt":     cmdInterrupt,
		"await":         cmdAwait,
		"pathwithout":   cmdPathWithout,
		"killengine":    cmdKillEngine,
		"registry":      cmdRegistry,
		"endregistry":   cmdEndRegistry,
		"push":          cmdPush,
		"session":       cmdSession,
		"asplanned":     cmdAsPlanned,
		"dockerarchive": cmdDockerArchive,
		"damageblob":    cmdDamageBlob,
		"identity":      cmdIdentity,
		"recipe":        cmdRecipe,
		"decode":        cmdDecode,

		"dockerd":      cmdDockerd,
		"freeport":     cmdFreePort,
		"goprogram":    cmdGoProgram,
		"answers":      cmdAnswers,
		"containers":   cmdContainers,
		"killredeploy": cmdKillRedeploy,

		"serveregistry":   cmdServeRegistry,
		"pushrandom":      cmdPushRandom,
		"sign":            cmdSign,
		"pushdescription": cmdPushDescription,
		"makeimage":       cmdMakeImage,
		"servereferrers":  cmdServeReferrers,
	}
}

func usage(ts *testscript.TestScript, neg bool, args []string, n int, text string) {
	if neg {
		ts.Fatalf("unsupported: !")
	}
	if len(args) != n {
		ts.Fatalf("usage: %s", text)
	}
}

// cmdNewest sets a variable to the newest patch file of a site in a folder. An
// encrypted one needs its key in FLOTOBUILD_IDENTITY_FILE.
func cmdNewest(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 3, "newest VARIABLE FOLDER SITE")
	files, err := scriptOpener(ts).List(ts.MkAbs(args[1]))
	ts.Check(err)
	f := patch.Latest(files, args[2])
	if f == nil {
		ts.Fatalf("%s has no patch of site %s", args[1], args[2])
	}
	ts.Setenv(args[0], f.Path)
}

// cmdPatches checks how many patch files a folder has; nothing else may be
// there.
func cmdPatches(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "patches FOLDER COUNT")
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	if !os.IsNotExist(err) {
		ts.Check(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if !patch.HasExtension(e.Name()) {
			ts.Fatalf("%s has something else than patches: %q", args[0], e.Name())
		}
	}
	if len(names) != want {
		ts.Fatalf("%s has %d patches, not %d: %q", args[0], len(names), want, names)
	}
}

// cmdDiffIDs writes the diff ids of the layers that a patch carries to a file,
// one a line, sorted.
func cmdDiffIDs(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "diffids FILE OUTPUT")
	p, err := patch.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer p.Close()
	var lines []string
	for _, l := range p.Description.Flotobuild.Transport {
		lines = append(lines, l.DiffID.String())
	}
	slices.Sort(lines)
	text := ""
	if len(lines) > 0 {
		text = strings.Join(lines, "\n") + "\n"
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}

// cmdJSON prints a value of a JSON file, or of the last command's stdout. The
// path has keys and indices with dots between them; "len" is the length of a list.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "json FILE PATH")
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for _, key := range strings.Split(args[1], ".") {
		v = element(ts, v, key)
	}
	if s, ok := v.(string); ok {
		fmt.Fprintln(ts.Stdout(), s)
		return
	}
	b, err := json.Marshal(v)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n", b)
}

func element(ts *testscript.TestScript, v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[key]
	case []any:
		if key == "len" {
			return len(v)
		}
		n, err := strconv.Atoi(key)
		ts.Check(err)
		if n >= 0 && n < len(v) {
			return v[n]
		}
	}
	return nil
}

// cmdFlip inverts a bit of a byte; a negative offset counts from the end.
func cmdFlip(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "flip FILE OFFSET")
	name := ts.MkAbs(args[0])
	b, err := os.ReadFile(name)
	ts.Check(err)
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	if n < 0 {
		n += len(b)
	}
	if n < 0 || n >= len(b) {
		ts.Fatalf("%s has %d bytes only", args[0], len(b))
	}
	b[n] ^= 1
	ts.Check(os.WriteFile(name, b, 0o644))
}

// cmdTruncate cuts bytes off the end of a file.
func cmdTruncate(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "truncate FILE BYTES")
	name := ts.MkAbs(args[0])
	info, err := os.Stat(name)
	ts.Check(err)
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(name, info.Size()-n))
}

// cmdHoldLock holds a project's lock until the script ends.
func cmdHoldLock(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "holdlock FILE")
	lock := flock.New(ts.MkAbs(args[0]))
	ts.Check(lock.Lock())
	ts.Defer(func() { lock.Unlock() })
}

// cmdOwnEngine gives the script an engine of its own, with an empty cache.
func cmdOwnEngine(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "ownengine")
	state := ts.MkAbs(".state")
	ts.Setenv("XDG_STATE_HOME", state)
	ts.Defer(func() { ts.Check(endEngine(state)) })
}

// cmdEndEngine ends the script's own engine and waits for it.
func cmdEndEngine(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "endengine")
	state := ts.Getenv("XDG_STATE_HOME")
	if state == os.Getenv(stateVariable) {
		ts.Fatalf("the engine is shared by all scripts: write ownengine first")
	}
	ts.Check(endEngine(state))
}
