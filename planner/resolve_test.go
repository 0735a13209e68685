package planner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
)

func resolve(t *testing.T, cfg *lang.Config, f Facts) *Desired {
	t.Helper()
	d, err := Resolve(context.Background(), cfg, f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *Desired) image(t *testing.T, name string) *Image {
	t.Helper()
	for _, i := range d.Images {
		if i.Name == name {
			return i
		}
	}
	t.Fatalf("no image %q", name)
	return nil
}

func TestResolve(t *testing.T) {
	cfg, facts := plant()
	d := resolve(t, cfg, facts)

	var order []string
	for _, i := range d.Images {
		order = append(order, i.Name)
	}
	if got := strings.Join(order, " "); got != "base app opc ui" {
		t.Errorf("order %s", got)
	}
	app := d.image(t, "app")
	if got, want := app.Build.Contexts, map[string]Context{
		"base":   {Image: "image_set.s.image.base"},
		"assets": {Dir: "assets"},
		"golang": {Ref: "docker-image://docker.io/library/golang@" + pinned.String()},
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("contexts %v", got)
	}
	if got := app.Build.Pins; !maps.Equal(got, map[string]digest.Digest{"alpine:3": pinned}) {
		t.Errorf("pins %v", got)
	}
	if got := slices.Sorted(maps.Keys(app.Fingerprint.Inputs)); strings.Join(got, " ") !=
		"arg:RELEASE base:alpine:3 base:golang context-dir:assets:logo context:main.go dockerfile image:base label:l platform secret:env secret:token target" {
		t.Errorf("inputs %v", got)
	}
	if got := d.image(t, "ui"); !slices.Equal(got.Platforms, []string{"linux/amd64", "linux/arm64"}) || !slices.Equal(got.DependsOn, []string{app.Address}) {
		t.Errorf("ui %+v", got)
	}
	if got := d.image(t, "opc").Source; got.Digest != pinned {
		t.Errorf("source %+v", got)
	}
	if d.Sites[0].Name != "aachen" || len(d.Sites[0].Images) != 2 || len(d.Sites[1].Conf) != 2 {
		t.Errorf("sites %+v", d.Sites)
	}
}

func TestResolveAsksOnce(t *testing.T) {
	cfg, facts := plant()
	resolve(t, cfg, facts)
	for _, call := range []string{"reference alpine:3", "conf **", "dockerfile images/app/Dockerfile assets,base,golang"} {
		if n := facts.called(call); n != 1 {
			t.Errorf("%q was asked %d times", call, n)
		}
	}
	if facts.called("file rootfs/unused.tar") != 0 {
		t.Error("an image that no site needs was read")
	}
	if got := strings.Join(facts.omit, " "); got != ".flotobuild dist/aachen dist/berlin dist/envelopes dist/volumes keys/token rootfs/base.tar rootfs/unused.tar" {
		t.Errorf("omitted %s", got)
	}
}

func TestSecretFilesOfVariablesAreOmitted(t *testing.T) {
	cfg, facts := plant()
	cfg.Variables = []*lang.Variable{
		{Name: "token", Sensitive: true, Files: []string{"./site.hclvars", "/etc/x.hclvars", "flotobuild.hclvars"}},
		{Name: "release", Files: []string{"release.auto.hclvars"}},
	}
	resolve(t, cfg, facts)
	for name, want := range map[string]bool{
		"site.hclvars": true, "flotobuild.hclvars": true, "/etc/x.hclvars": true, "release.auto.hclvars": false,
	} {
		if got := slices.Contains(facts.omit, name); got != want {
			t.Errorf("%s is omitted: %t", name, got)
		}
	}
}

func TestResolveIsDeterministic(t *testing.T) {
	cfg, facts := plant()
	want := resolve(t, cfg, facts)
	for range 20 {
		if got := resolve(t, cfg, facts); !reflect.DeepEqual(got, want) {
			t.Fatal("two runs differ")
		}
	}
}

// Each change must move the fingerprints named, and no others.
func TestFingerprints(t *testing.T) {
	for _, c := range []struct {
		name  string
		edit  func(*lang.Config, *fakeFacts)
		moves string
	}{
		{"nothing", func(*lang.Config, *fakeFacts) {}, ""},
		{"context of app", func(_ *lang.Config, f *fakeFacts) { f.folders["images/app"]["main.go"] = pinned }, "app ui"},
		{"file added", func(_ *lang.Config, f *fakeFacts) { f.folders["images/ui"]["x"] = pinned }, "ui"},
		{"named folder", func(_ *lang.Config, f *fakeFacts) { f.folders["assets"]["logo"] = pinned }, "app ui"},
		{"root file system", func(c *lang.Config, f *fakeFacts) {
			f.files["rootfs/other.tar"] = 7
			c.ImageSets[0].Images[1].Rootfs.Name = "rootfs/other.tar"
		}, "app base ui"},
		{"conf", func(_ *lang.Config, f *fakeFacts) { f.conf = f.conf[1:] }, ""},
		{"base image", func(_ *lang.Config, f *fakeFacts) { f.references["alpine:3"] = digest.FromString("new") }, "app ui"},
		{"image context", func(_ *lang.Config, f *fakeFacts) { f.references["golang:1.26"] = digest.FromString("new") }, "app ui"},
		{"vendored image", func(_ *lang.Config, f *fakeFacts) { f.references["opc/server:3"] = digest.FromString("new") }, "opc"},
		{"dockerfile", func(_ *lang.Config, f *fakeFacts) { f.dockerfiles["images/ui/Dockerfile"].Digest = pinned }, "ui"},
		{"build arg", func(c *lang.Config, _ *fakeFacts) { c.ImageSets[0].Images[0].Build.Args["RELEASE"] = "2" }, "app ui"},
		{"target", func(c *lang.Config, _ *fakeFacts) { c.ImageSets[0].Images[0].Build.Target = "" }, "app ui"},
		{"label", func(c *lang.Config, _ *fakeFacts) { c.ImageSets[0].Images[0].Labels["l"] = "w" }, "app ui"},
		{"platform", func(c *lang.Config, _ *fakeFacts) { c.ImageSets[0].Images[1].Platforms = []string{"linux/arm64"} }, "app base ui"},
		{"compression", func(c *lang.Config, _ *fakeFacts) { c.Settings.Engine.Compression = "gzip" }, ""},
		{"secret", func(c *lang.Config, _ *fakeFacts) {
			c.ImageSets[0].Images[0].Build.Secrets["x"] = lang.Secret{Env: "X"}
		}, "app ui"},
		{"value of a secret", func(c *lang.Config, _ *fakeFacts) {
			c.ImageSets[0].Images[0].Build.Secrets["env"] = lang.Secret{File: &lang.Path{Name: "keys/other"}}
		}, ""},
		{"version", func(c *lang.Config, _ *fakeFacts) { c.Sites[0].Patch.Version = "2.0.0" }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, facts := plant()
			before := resolve(t, cfg, facts)
			c.edit(cfg, facts)
			after := resolve(t, cfg, facts)
			var moved []string
			for n, i := range before.Images {
				if after.Images[n].Fingerprint.Digest != i.Fingerprint.Digest {
					moved = append(moved, i.Name)
				}
			}
			slices.Sort(moved)
			if got := strings.Join(moved, " "); got != c.moves {
				t.Errorf("moved %q, want %q", got, c.moves)
			}
		})
	}
}

// The encoding must not confuse names with values.
func TestSealIsInjective(t *testing.T) {
	a := seal(map[string]string{"a": "b1:c"})
	for _, other := range []map[string]string{{"ab": "1:c"}, {"a": "b", "1:c": ""}, {"a": "b", "c": ""}, {}} {
		if seal(other).Digest == a.Digest {
			t.Errorf("%v has the same fingerprint", other)
		}
	}
}

func TestLargeContextIsOneInput(t *testing.T) {
	entries := make(map[string]digest.Digest)
	for n := range maxEntries + 1 {
		entries[fmt.Sprint(n)] = pinned
	}
	in := make(map[string]string)
	addFolder(in, "context", entries)
	if len(in) != 1 || in["context"] == "" {
		t.Errorf("inputs %v", in)
	}
	old := in["context"]
	entries["7"] = digest.FromString("other")
	addFolder(in, "context", entries)
	if in["context"] == old {
		t.Error("a change is not seen")
	}
}

func TestResolveProblems(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*lang.Config, *fakeFacts)
		want []string // "FILE:LINE SUMMARY"
	}{
		{"all at once", func(_ *lang.Config, f *fakeFacts) {
			delete(f.folders, "images/app")
			delete(f.files, "rootfs/base.tar")
			delete(f.dockerfiles, "images/ui/Dockerfile")
			delete(f.references, "opc/server:3")
		}, []string{"main.floto.hcl:2 Missing root file system", "main.floto.hcl:4 Missing build context", "main.floto.hcl:8 Missing Dockerfile", "main.floto.hcl:10 Cannot resolve image reference"}},
		{"missing named folder", func(_ *lang.Config, f *fakeFacts) { delete(f.folders, "assets") }, []string{"main.floto.hcl:6 Missing build context"}},
		{"unknown base", func(_ *lang.Config, f *fakeFacts) { delete(f.references, "alpine:3") }, []string{"main.floto.hcl:3 Cannot resolve image reference"}},
		{"dockerfile syntax", func(_ *lang.Config, f *fakeFacts) {
			f.broken = map[string]error{"images/app/Dockerfile": fmt.Errorf("x: %w", &SourceError{File: "images/app/Dockerfile", Line: 7, Err: errors.New("unknown instruction: RUNN")})}
		}, []string{"images/app/Dockerfile:7 Invalid Dockerfile"}},
		{"unreadable dockerfile", func(_ *lang.Config, f *fakeFacts) {
			f.broken = map[string]error{"images/app/Dockerfile": errors.New("permission denied")}
		}, []string{"main.floto.hcl:3 Cannot read Dockerfile"}},
		{"bad platform", func(c *lang.Config, _ *fakeFacts) { c.ImageSets[0].Images[1].Platforms = []string{"a/b/c/d"} }, []string{"main.floto.hcl:1 Invalid platform"}},
		{"bad context name", func(c *lang.Config, _ *fakeFacts) {
			c.ImageSets[0].Images[0].Build.Contexts["Base"] = lang.Context{Ref: "docker-image://x", Range: at(5)}
		}, []string{"main.floto.hcl:5 Invalid context name"}},
		{"duplicate context", func(c *lang.Config, _ *fakeFacts) {
			c.ImageSets[0].Images[0].Build.Contexts["golang"] = lang.Context{Ref: "docker-image://golang:1.26", Range: at(7)}
		}, []string{"main.floto.hcl:7 Duplicate context name"}},
		{"cycle", func(c *lang.Config, _ *fakeFacts) {
			i := c.ImageSets[0].Images
			i[0].Build.Contexts["ui"] = lang.Context{Image: i[3]}
		}, []string{"main.floto.hcl:3 Dependency cycle"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, facts := plant()
			c.edit(cfg, facts)
			d, err := Resolve(context.Background(), cfg, facts, Options{})
			var diags hcl.Diagnostics
			if d != nil || !errors.As(err, &diags) {
				t.Fatalf("got %v, %v", d, err)
			}
			var got []string
			for _, x := range diags {
				got = append(got, fmt.Sprintf("%s:%d %s", x.Subject.Filename, x.Subject.Start.Line, x.Summary))
				if !strings.HasSuffix(x.Detail, ".") {
					t.Errorf("detail is no sentence: %s", x.Detail)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestResolveOtherErrors(t *testing.T) {
	cfg, facts := plant()
	facts.projectErr = errors.New("dubious ownership")
	if _, err := Resolve(context.Background(), cfg, facts, Options{}); err == nil || !strings.Contains(err.Error(), "cannot read the state of the project: dubious") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Resolve(ctx, cfg, facts, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestContextKeyAndPinSource(t *testing.T) {
	for in, want := range map[string]string{
		"alpine": "alpine", "alpine:latest": "alpine", "docker.io/library/alpine:3": "alpine:3",
		"localhost:5000/a/b": "localhost:5000/a/b", "base": "base",
	} {
		if got, err := ContextKey(in); err != nil || got != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
	from, to, err := PinSource("alpine", pinned)
	if err != nil || from != "docker-image://docker.io/library/alpine:latest" || to != "docker-image://docker.io/library/alpine@"+pinned.String() {
		t.Errorf("%s %s %v", from, to, err)
	}
	if _, _, err := PinSource("Alpine", pinned); err == nil {
		t.Error("upper case is accepted")
	}
}
