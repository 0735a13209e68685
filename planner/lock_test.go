package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
)

var moved = digest.FromString("moved")

func constraint(t *testing.T, text string) *lang.Constraint {
	t.Helper()
	c, err := lang.ParseConstraint(text)
	if err != nil {
		t.Fatal(err)
	}
	c.Range = at(20)
	return c
}

// versioned is the plant with a constraint on its vendored image.
func versioned(t *testing.T, text string) (*lang.Config, *fakeFacts) {
	cfg, facts := plant()
	cfg.ImageSets[0].Images[2].Source = &lang.Source{Ref: "opc/server", Range: at(10), Version: constraint(t, text)}
	facts.tags = map[string][]string{"opc/server": {"3.2.0", "3.2.5", "4.0.0", "latest"}}
	facts.references["opc/server:3.2.5"] = pinned
	facts.references["opc/server:3.3.0"] = pinned
	return cfg, facts
}

// locking resolves and returns what was kept; nil where nothing was.
func locking(cfg *lang.Config, facts *fakeFacts, opts Options) (*Desired, *lang.Lock, error) {
	var kept *lang.Lock
	opts.Keep = func(l *lang.Lock, _ []LockChange) error {
		kept = l
		facts.note("keep", "")
		return nil
	}
	d, err := Resolve(context.Background(), cfg, facts, opts)
	return d, kept, err
}

func entry(source, constraint, version string, d digest.Digest) lang.LockEntry {
	r := hcl.Range{Filename: lang.LockFile, Start: hcl.Pos{Line: 4, Column: 1}}
	return lang.LockEntry{Source: source, Constraint: constraint, Version: version, Digest: d, Range: r}
}

// others are the entries of the plant's other references.
func others(more ...lang.LockEntry) *lang.Lock {
	return lang.NewLock(append(more, entry("alpine:3", "", "", pinned), entry("golang:1.26", "", "", pinned)))
}

func changesText(changes []LockChange) string {
	var out []string
	for _, c := range changes {
		out = append(out, fmt.Sprintf("%s %s %s>%s %s>%s", c.Change, c.Source, c.OldConstraint, c.Constraint, c.OldVersion, c.NewVersion))
	}
	return strings.Join(out, "; ")
}

func TestFirstLock(t *testing.T) {
	cfg, facts := versioned(t, "~> 3.2")
	d, lock, err := locking(cfg, facts, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := others(entry("opc/server", "~> 3.2", "3.2.5", pinned))
	if !lock.Equal(want) {
		t.Errorf("kept\n%s", lock.Encode())
	}
	if got := changesText(d.LockChanges); got != "create alpine:3 > >; create golang:1.26 > >; create opc/server >~> 3.2 >3.2.5" {
		t.Errorf("changes: %s", got)
	}
	for _, i := range d.Images {
		if i.Name == "opc" && (*i.Source != Source{Ref: "opc/server", Version: "3.2.5", Digest: pinned}) {
			t.Errorf("source %+v", i.Source)
		}
	}
	kept := slices.Index(facts.calls, "keep ")
	if conf := slices.IndexFunc(facts.calls, func(c string) bool { return strings.HasPrefix(c, "conf ") }); conf < kept {
		t.Errorf("conf is listed before the lock is kept: %q", facts.calls)
	}
}

func TestLock(t *testing.T) {
	locked := entry("opc/server", "~> 3.2", "3.2.5", pinned)
	for _, c := range []struct {
		name       string
		constraint string
		lock       *lang.Lock
		opts       Options
		edit       func(*fakeFacts)
		changes    string
		wrong      string // parts of the diagnostics, with | between them
	}{
		{name: "nothing new", lock: others(locked)},
		{name: "a newer tag", lock: others(locked), edit: func(f *fakeFacts) { f.tags["opc/server"] = []string{"3.3.0"} }},
		{
			name: "a newer tag, upgraded", lock: others(locked), opts: Options{Upgrade: true},
			edit:    func(f *fakeFacts) { f.tags["opc/server"] = []string{"3.3.0"} },
			changes: "update opc/server ~> 3.2>~> 3.2 3.2.5>3.3.0",
		},
		{
			name: "tags cannot be listed", lock: others(locked),
			edit: func(f *fakeFacts) { f.tags = nil },
		},
		{
			name: "moved", lock: others(locked),
			edit:  func(f *fakeFacts) { f.references["opc/server:3.2.5"] = moved },
			wrong: "main.floto.hcl:20|Locked digest does not match|" + moved.String() + "|" + pinned.String() + "|.flotobuild.lock.hcl:4|-upgrade|in place of the version: opc/server@",
		},
		{
			name: "a base that moved", lock: others(locked),
			edit:  func(f *fakeFacts) { f.references["alpine:3"] = moved },
			wrong: "Locked digest does not match|alpine:3@",
		},
		{
			name: "a base that moved, upgraded", lock: others(locked), opts: Options{Upgrade: true},
			edit:    func(f *fakeFacts) { f.references["alpine:3"] = moved },
			changes: "update alpine:3 > >",
		},
		{
			name: "gone", lock: others(locked),
			edit:  func(f *fakeFacts) { delete(f.references, "opc/server:3.2.5") },
			wrong: "Locked image is gone|" + pinned.String() + "|-upgrade",
		},
		{
			name: "no answer", lock: others(locked),
			edit: func(f *fakeFacts) {
				f.refErr = map[string]error{"opc/server:3.2.5": fmt.Errorf("%w: no route", ErrNoAnswer)}
			},
		},
		{
			name: "another error", lock: others(locked),
			edit: func(f *fakeFacts) {
				f.refErr = map[string]error{"opc/server:3.2.5": errors.New("the index is broken")}
			},
			wrong: "Cannot resolve image reference|the index is broken",
		},
		{
			name: "constraint edited, satisfied", constraint: ">= 3.1", lock: others(locked),
			changes: "update opc/server ~> 3.2>>= 3.1 3.2.5>3.2.5",
		},
		{
			name: "constraint edited, not satisfied", constraint: "~> 4.0", lock: others(locked),
			wrong: "main.floto.hcl:20|Locked version does not satisfy|3.2.5|~> 4.0|-upgrade",
		},
		{
			name: "lock edited, not satisfied", lock: others(entry("opc/server", "~> 3.2", "4.0.0", pinned)),
			wrong: "Locked version does not satisfy|4.0.0",
		},
		{
			name: "several edited ones", constraint: ">= 3.1", changes: "update opc/server ~> 3.2>>= 3.1 3.2.5>3.2.5; remove opc/server >~> 2.0 2.1.0>",
			lock: others(locked, entry("opc/server", "~> 2.0", "2.1.0", pinned)),
		},
		{
			name: "readonly, complete", lock: others(locked), opts: Options{Readonly: true},
		},
		{
			name: "readonly, incomplete", lock: others(), opts: Options{Readonly: true},
			wrong: "Image reference not locked|opc/server",
		},
		{
			name: "no longer needed", lock: others(locked, entry("gone:1", "", "", moved)),
			changes: "remove gone:1 > >",
		},
		{
			name: "no version", constraint: "~> 5.0", lock: others(),
			wrong: "main.floto.hcl:20|No version satisfies the constraint|The nearest are: 3.2.0, 3.2.5, 4.0.0",
		},
		{
			name: "no version at all", lock: others(), edit: func(f *fakeFacts) { f.tags["opc/server"] = []string{"latest", "edge"} },
			wrong: "None of its tags is a version: edge, latest.",
		},
		{
			name: "no tag", lock: others(), edit: func(f *fakeFacts) { f.tags["opc/server"] = nil },
			wrong: "It has no tags.",
		},
		{
			name: "no list", lock: others(), edit: func(f *fakeFacts) { f.tags = nil },
			wrong: "Cannot list versions|no route to host",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.constraint == "" {
				c.constraint = "~> 3.2"
			}
			cfg, facts := versioned(t, c.constraint)
			if c.edit != nil {
				c.edit(facts)
			}
			c.opts.Lock = c.lock
			before := string(c.lock.Encode())
			d, kept, err := locking(cfg, facts, c.opts)
			if string(c.lock.Encode()) != before {
				t.Error("the lock that was given is changed")
			}
			if c.wrong != "" {
				wantWrong(t, err, kept, c.wrong)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := changesText(d.LockChanges); got != c.changes {
				t.Errorf("changes %q, want %q", got, c.changes)
			}
			if (c.changes == "") != kept.Equal(c.lock) {
				t.Errorf("kept\n%s", kept.Encode())
			}
			if (len(d.Warnings) > 0) != (c.name == "no answer") {
				t.Errorf("warnings: %v", d.Warnings)
			}
		})
	}
}

// wantWrong checks that one thing is wrong, and that nothing was kept.
func wantWrong(t *testing.T, err error, kept *lang.Lock, parts string) {
	t.Helper()
	var diags hcl.Diagnostics
	if !errors.As(err, &diags) || len(diags) != 1 || kept != nil {
		t.Fatalf("kept %v, error %v", kept, err)
	}
	text := fmt.Sprintf("%s:%d %s: %s", diags[0].Subject.Filename, diags[0].Subject.Start.Line, diags[0].Summary, diags[0].Detail)
	for _, p := range strings.Split(parts, "|") {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in %s", p, text)
		}
	}
}

// References are locked once, however they are written, and those with a digest
// are not.
func TestLockedReferences(t *testing.T) {
	cfg, facts := plant()
	images := cfg.ImageSets[0].Images
	images[2].Source.Ref = "docker.io/library/alpine:3"
	images[0].Build.Contexts["docker.io/library/golang:latest"] = lang.Context{Ref: "docker-image://golang@" + pinned.String(), Range: at(7)}
	facts.references["golang@"+pinned.String()] = pinned
	facts.references["docker.io/library/alpine:3"] = pinned
	_, lock, err := locking(cfg, facts, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := lang.NewLock([]lang.LockEntry{entry("alpine:3", "", "", pinned)}); !lock.Equal(want) {
		t.Errorf("kept\n%s", lock.Encode())
	}
}

// An error of Keep ends the run, and what the lock became makes no plan stale.
func TestKeepAndStale(t *testing.T) {
	cfg, facts := plant()
	full := errors.New("disk full")
	if _, err := Resolve(t.Context(), cfg, facts, Options{Keep: func(*lang.Lock, []LockChange) error { return full }}); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	first, lock, err := locking(cfg, facts, Options{})
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := locking(cfg, facts, Options{Lock: lock})
	if err != nil {
		t.Fatal(err)
	}
	a, b := Diff(nil, first), Diff(nil, second)
	if len(a.LockChanges) != 3 || len(b.LockChanges) != 0 {
		t.Errorf("changes %v and %v", a.LockChanges, b.LockChanges)
	}
	if why, err := Stale(a, b); err != nil || why != nil {
		t.Errorf("stale: %v, %v", why, err)
	}
}
