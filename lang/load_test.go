package lang

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestLoad runs every archive in testdata/load: its comment holds options, its
// files are a project, and the file "want" is what comes of it: the diagnostics
// as they are printed, and the configuration where there are no errors.
func TestLoad(t *testing.T) {
	names, err := filepath.Glob("testdata/load/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := loadArchive(t, a)
			if *update {
				writeWant(t, name, a, got)
				return
			}
			if want := wantOf(a); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func loadArchive(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	fsys := archiveFS(a)
	opts := archiveOptions(t, a, fsys)
	cfg, diags := Load(fsys, opts)
	var b bytes.Buffer
	writeDiagnostics(t, &b, cfg, diags)
	if !diags.HasErrors() {
		dump(&b, cfg)
	}
	return b.String()
}

// writeDiagnostics writes them as users see them, and looks for secrets.
func writeDiagnostics(t *testing.T, b *bytes.Buffer, cfg *Config, diags hcl.Diagnostics) {
	t.Helper()
	if err := WriteDiagnostics(b, diags, cfg.Files, DiagnosticsOptions{Width: 100}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "s3cret") {
		t.Errorf("a sensitive value is shown:\n%s", b.String())
	}
	j, err := DiagnosticsJSON(diags, cfg.Files)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(j, []byte("s3cret")) {
		t.Errorf("a sensitive value is in the JSON:\n%s", j)
	}
}

func archiveFS(a *txtar.Archive) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, f := range a.Files {
		if f.Name != "want" {
			fsys[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
		}
	}
	return fsys
}

// archiveOptions reads the lines env, var, varfile, git, steps and tool of the comment.
func archiveOptions(t *testing.T, a *txtar.Archive, fsys fstest.MapFS) Options {
	t.Helper()
	opts := Options{ToolVersion: "0.1.0"}
	for _, line := range strings.Split(string(a.Comment), "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "env":
			opts.Environ = append(opts.Environ, value)
		case "var":
			opts.Vars = append(opts.Vars, VarOption{Assignment: value})
		case "varfile":
			opts.Vars = append(opts.Vars, VarOption{File: value, Bytes: fsys[value].Data})
		case "tool":
			opts.ToolVersion = value
		case "steps":
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			opts.steps = n
		case "git":
			opts.Git = gitStub(value)
		}
	}
	return opts
}

func gitStub(kind string) func() (Git, error) {
	return func() (Git, error) {
		if kind == "error" {
			return Git{}, errors.New("git is not installed")
		}
		return Git{Describe: "v1.0.0-3-gabcdef0", Commit: "abcdef0", Timestamp: "2026-01-02T03:04:05Z", Dirty: true}, nil
	}
}

func wantOf(a *txtar.Archive) string {
	for _, f := range a.Files {
		if f.Name == "want" {
			return string(f.Data)
		}
	}
	return ""
}

func writeWant(t *testing.T, name string, a *txtar.Archive, got string) {
	t.Helper()
	a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
	a.Files = append(a.Files, txtar.File{Name: "want", Data: []byte(got)})
	if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

// dump writes a configuration, leaving out what is empty.
func dump(b *bytes.Buffer, cfg *Config) {
	if e := cfg.Settings.Engine; cfg.Settings.RequiredVersion != "" || len(e.Hosts) > 0 || e.CABundle != "" || e.Compression != "zstd" {
		fmt.Fprintf(b, "settings %+v\n", cfg.Settings)
	}
	for _, v := range cfg.Variables {
		value := "(sensitive)"
		if !isSensitive(v.Value) {
			j, err := ctyjson.SimpleJSONValue{Value: v.Value}.MarshalJSON()
			value = fmt.Sprint(string(j), orEmpty(err))
		}
		fmt.Fprintf(b, "variable %s %s = %s (%s)\n", v.Name, v.Type.FriendlyName(), value, v.Origin)
	}
	for _, s := range cfg.ImageSets {
		for _, im := range s.Images {
			dumpImage(b, im)
		}
	}
	for _, r := range cfg.RootDefinitions {
		fmt.Fprintf(b, "root_definition %s file=%s images=%v conf=%v\n", r.Name, r.File.Name, slices.Sorted(maps.Keys(r.Images())), r.Conf)
	}
	for _, e := range cfg.Envelopes {
		dumpEnvelope(b, e)
	}
	for _, s := range cfg.Sites {
		dumpSite(b, s)
	}
}

func orEmpty(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

func dumpImage(b *bytes.Buffer, im *Image) {
	fmt.Fprintf(b, "%s name=%s", im.Address(), im.Name)
	if im.Rootfs != nil {
		fmt.Fprintf(b, " rootfs=%s", im.Rootfs.Name)
	}
	if im.Source != nil {
		fmt.Fprintf(b, " source=%s", im.Source.Ref)
		if im.Source.Version != nil {
			fmt.Fprintf(b, " version=%q", im.Source.Version.Text)
		}
	}
	if len(im.Platforms) > 0 {
		fmt.Fprintf(b, " platforms=%v", im.Platforms)
	}
	if len(im.Labels) > 0 {
		fmt.Fprintf(b, " labels=%v", im.Labels)
	}
	fmt.Fprintln(b)
	if im.Build != nil {
		dumpBuild(b, im.Build)
	}
}

func dumpBuild(b *bytes.Buffer, x *Build) {
	fmt.Fprintf(b, "  build context=%s dockerfile=%s target=%q args=%v\n", x.Context.Name, x.Dockerfile, x.Target, x.Args)
	for _, n := range slices.Sorted(maps.Keys(x.Contexts)) {
		c := x.Contexts[n]
		switch {
		case c.Image != nil:
			fmt.Fprintf(b, "  context %s image %s\n", n, c.Image.Address())
		case c.Dir != nil:
			fmt.Fprintf(b, "  context %s dir %s\n", n, c.Dir.Name)
		default:
			fmt.Fprintf(b, "  context %s ref %s\n", n, c.Ref)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(x.Secrets)) {
		s := x.Secrets[n]
		if s.File != nil {
			fmt.Fprintf(b, "  secret %s file %s\n", n, s.File.Name)
			continue
		}
		fmt.Fprintf(b, "  secret %s env %s\n", n, s.Env)
	}
}

func dumpSite(b *bytes.Buffer, s *Site) {
	fmt.Fprintf(b, "site %s root=%s\n", s.Name, s.RootDefinition.Name)
	for _, k := range slices.Sorted(maps.Keys(s.Vars)) {
		j, err := ctyjson.SimpleJSONValue{Value: s.Vars[k]}.MarshalJSON()
		fmt.Fprintf(b, "  var %s = %s%s\n", k, j, orEmpty(err))
	}
	for _, c := range s.Containers {
		fmt.Fprintf(b, "  container %s image=%s host=%s\n", c.Name, c.Image, c.Host)
	}
	for _, e := range s.Envelopes {
		fmt.Fprintf(b, "  %s\n", e.Address())
	}
	p := s.Patch
	fmt.Fprintf(b, "  patch name=%s version=%s comment=%q parent=%s output=%s clean=%v\n", p.Name, p.Version, p.Comment, p.Parent.Text, p.Output.Name, p.Policy.CleanTree)
	for _, a := range p.AlsoFrom {
		fmt.Fprintf(b, "  also from %s %s\n", a.Kind, a.Text)
	}
	for _, k := range p.SignKeys {
		fmt.Fprintf(b, "  signed by %s\n", k.Name)
	}
	if p.SBOM != "" {
		fmt.Fprintf(b, "  sbom %s\n", p.SBOM)
	}
	if p.Provenance {
		b.WriteString("  provenance\n")
	}
	if q := p.Policy; q.MaxSize > 0 || q.KeepImages || q.AllowedRegistries != nil || q.SignatureKeys != nil {
		fmt.Fprintf(b, "  policy max=%d keep=%v registries=%q keys=%d at %s\n", q.MaxSize, q.KeepImages, q.AllowedRegistries, len(q.SignatureKeys), place(q.RangeOf(RuleMaxSize)))
	}
}
