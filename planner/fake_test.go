package planner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
)

// fakeFacts answers from maps; what is not there does not exist.
type fakeFacts struct {
	project     Project
	projectErr  error
	dockerfiles map[string]*Dockerfile
	broken      map[string]error
	folders     map[string]map[string]digest.Digest
	files       map[string]int64
	references  map[string]digest.Digest
	tags        map[string][]string
	refErr      map[string]error // instead of references
	conf        []File

	mu    sync.Mutex
	calls []string
	omit  []string
}

func (f *fakeFacts) note(call, arg string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call+" "+arg)
}

func (f *fakeFacts) called(call string) int {
	n := 0
	for _, c := range f.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (f *fakeFacts) Platform() string { return "linux/amd64" }

func (f *fakeFacts) Project(context.Context, []string) (Project, error) {
	return f.project, f.projectErr
}

func (f *fakeFacts) Dockerfile(_ context.Context, q DockerfileQuery) (*Dockerfile, error) {
	f.note("dockerfile", q.File+" "+strings.Join(q.Contexts, ","))
	if err := f.broken[q.File]; err != nil {
		return nil, err
	}
	if d, ok := f.dockerfiles[q.File]; ok {
		return d, nil
	}
	return nil, fmt.Errorf("cannot read %q: %w", q.File, fs.ErrNotExist)
}

func (f *fakeFacts) Folder(_ context.Context, q FolderQuery) (map[string]digest.Digest, error) {
	f.note("folder", q.Dir)
	if d, ok := f.folders[q.Dir]; ok {
		return d, nil
	}
	return nil, fmt.Errorf("cannot read %q: %w", q.Dir, fs.ErrNotExist)
}

func (f *fakeFacts) File(_ context.Context, name string) (digest.Digest, int64, error) {
	f.note("file", name)
	if size, ok := f.files[name]; ok {
		return digest.FromString(name), size, nil
	}
	return "", 0, fmt.Errorf("cannot read %q: %w", name, fs.ErrNotExist)
}

func (f *fakeFacts) Reference(_ context.Context, ref string) (digest.Digest, error) {
	f.note("reference", ref)
	if err := f.refErr[ref]; err != nil {
		return "", err
	}
	if d, ok := f.references[ref]; ok {
		return d, nil
	}
	return "", fmt.Errorf("the registry has %w", ErrNoImage)
}

func (f *fakeFacts) Tags(_ context.Context, source string) ([]string, error) {
	f.note("tags", source)
	if tags, ok := f.tags[source]; ok {
		return tags, nil
	}
	return nil, errors.New("no route to host")
}

func (f *fakeFacts) Conf(_ context.Context, q ConfQuery) ([]File, error) {
	f.note("conf", strings.Join(q.Include, ","))
	f.omit = q.Omit
	return f.conf, nil
}

func at(line int) hcl.Range {
	p := hcl.Pos{Line: line, Column: 1}
	return hcl.Range{Filename: "main.floto.hcl", Start: p, End: p}
}

var pinned = digest.FromString("alpine")

// plant is a project of a rootfs base, two builds on it, a vendored image and
// one that nobody needs.
func plant() (*lang.Config, *fakeFacts) {
	base := &lang.Image{Set: "s", Name: "base", Range: at(1), Rootfs: &lang.Path{Name: "rootfs/base.tar", Range: at(2)}}
	app := &lang.Image{Set: "s", Name: "app", Range: at(3), Build: &lang.Build{
		Context: lang.Path{Name: "images/app", Range: at(4)}, Dockerfile: "Dockerfile", Target: "prod",
		Args: map[string]string{"RELEASE": "1"},
		Contexts: map[string]lang.Context{
			"base":                            {Image: base, Range: at(5)},
			"assets":                          {Dir: &lang.Path{Name: "assets", Range: at(6)}, Range: at(6)},
			"docker.io/library/golang:latest": {Ref: "docker-image://golang:1.26", Range: at(7)},
		},
		Secrets: map[string]lang.Secret{"token": {File: &lang.Path{Name: "keys/token"}}, "env": {Env: "TOKEN"}},
	}, Labels: map[string]string{"l": "v"}}
	ui := &lang.Image{Set: "s", Name: "ui", Range: at(8), Platforms: []string{"linux/x86_64", "linux/arm64"}, Build: &lang.Build{
		Context: lang.Path{Name: "images/ui", Range: at(9)}, Dockerfile: "Dockerfile",
		Contexts: map[string]lang.Context{"app": {Image: app}},
	}}
	opc := &lang.Image{Set: "s", Name: "opc", Range: at(10), Source: &lang.Source{Ref: "opc/server:3", Range: at(10)}}
	unused := &lang.Image{Set: "s", Name: "unused", Range: at(11), Rootfs: &lang.Path{Name: "rootfs/unused.tar", Range: at(11)}}
	set := &lang.ImageSet{Name: "s", Images: []*lang.Image{app, base, opc, ui, unused}}
	root := &lang.RootDefinition{Name: "r", File: lang.Path{Name: "roots/plant.root.hcl"}, ImageSets: []*lang.ImageSet{set}, Range: at(12)}
	site := func(name string, images ...string) *lang.Site {
		s := &lang.Site{Name: name, RootDefinition: root, Range: at(13), Patch: lang.Patch{Name: "plant", Version: "1.0.0", Output: lang.Path{Name: "dist/" + name}, Range: at(14)}}
		for _, i := range images {
			s.Containers = append(s.Containers, lang.Container{Name: i, Image: i})
		}
		return s
	}
	cfg := &lang.Config{
		Settings:        lang.Settings{Engine: lang.Engine{Compression: "zstd"}},
		ImageSets:       []*lang.ImageSet{set},
		RootDefinitions: []*lang.RootDefinition{root},
		Sites:           []*lang.Site{site("berlin", "opc", "ui"), site("aachen", "ui", "app")},
	}
	facts := &fakeFacts{
		project: Project{Revision: "v1"},
		dockerfiles: map[string]*Dockerfile{
			"images/app/Dockerfile": {Digest: digest.FromString("df app"), References: []string{"alpine:3"}},
			"images/ui/Dockerfile":  {Digest: digest.FromString("df ui"), References: []string{"alpine:3"}},
		},
		folders: map[string]map[string]digest.Digest{
			"images/app": {"main.go": digest.FromString("main")},
			"images/ui":  {"www": digest.FromString("www")},
			"assets":     {"logo": digest.FromString("logo")},
		},
		files:      map[string]int64{"rootfs/base.tar": 7},
		references: map[string]digest.Digest{"alpine:3": pinned, "golang:1.26": pinned, "opc/server:3": pinned},
		conf: []File{
			{Path: "a", Mode: 0o644, Size: 1, Digest: digest.FromString("a")},
			{Path: "roots/plant.root.hcl", Mode: 0o644, Size: 1, Digest: digest.FromString("r")},
		},
	}
	return cfg, facts
}
