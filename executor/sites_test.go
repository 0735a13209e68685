//go:build linux

package executor_test

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	ggcr "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/executor/engine"
	"github.com/flotobuild/flotobuild/patch"
)

// check verifies a patch file together with its parents.
func check(t *testing.T, file string, parents ...*patch.Header) *patch.Reader {
	t.Helper()
	r, err := patch.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if _, err := patch.Verify(t.Context(), r, patch.VerifyOptions{Parents: parents}); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return r
}

func TestManySitesShareBuildsAndLayers(t *testing.T) {
	var hcl strings.Builder
	hcl.WriteString(`
root_definition "plant" {
  file       = "plant.root.hcl"
  image_sets = [image_set.plant]
}
image_set "plant" {
  image "base" { rootfs = "rootfs.tar" }
  image "app" {
    context  = "app"
    contexts = { base = image_set.plant.image.base }
  }
}
`)
	for i := range 5 {
		fmt.Fprintf(&hcl, "site \"s%d\" {\n  root_definition = root_definition.plant\n  patch { version = \"1.0.0\" }\n}\n", i)
	}
	p := newProject(t, map[string]string{
		"plant.floto.hcl": hcl.String(),
		"plant.root.hcl":  rootHCL,
		"app/Dockerfile":  "FROM base\nRUN head -c 20000000 /dev/urandom > /large\n",
	})
	res, err := executor.Apply(t.Context(), p.plan(), p.options())
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Sites) != 5 {
		t.Fatalf("%d sites; want 5", len(res.Sites))
	}
	var layers string
	for _, s := range res.Sites {
		r := check(t, s.File)
		if got := fmt.Sprint(carried(t, r)); layers == "" {
			layers = got
		} else if got != layers {
			t.Errorf("site %s carries %s; the first one %s", s.Site, got, layers)
		}
	}
	if n := p.bytes.in.Load(); n > 25_000_000 {
		t.Errorf("%d bytes came from the engine; the layer of 20 MB must leave it once", n)
	}
}

func TestFailureOfOneImageWritesNothing(t *testing.T) {
	p := newProject(t, map[string]string{
		"plant.floto.hcl": siteHCL + `
image_set "plant" {
  image "base" { rootfs = "rootfs.tar" }
  image "app" {
    context  = "app"
    contexts = { base = image_set.plant.image.base }
  }
  image "top" {
    context  = "top"
    contexts = { app = image_set.plant.image.app }
  }
  image "bad" {
    context  = "bad"
    contexts = { base = image_set.plant.image.base }
  }
}
`,
		"plant.root.hcl": `
host "edge" { address = "127.0.0.1" }
container "a" {
  image = "top"
  host  = "edge"
}
container "b" {
  image = "bad"
  host  = "edge"
}
`,
		"app/Dockerfile": "FROM base\nRUN exit 1\n",
		"top/Dockerfile": "FROM app\nRUN true\n",
		"bad/Dockerfile": "FROM base\nCOPY nothing /\n",
	})
	opts := p.options()
	opts.KeepGoing = true
	_, err := executor.Apply(t.Context(), p.plan(), opts)
	if err == nil {
		t.Fatal("a failed build succeeds")
	}
	for _, want := range []string{"cannot build image_set.plant.image.app\n", "not tried, as image_set.plant.image.app failed", "cannot build image_set.plant.image.bad\n", "bad/Dockerfile:2"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if _, err := os.Stat(filepath.Join(p.dir, "dist")); err == nil {
		t.Error("an output folder was left")
	}
}

func TestRecheckStopsBeforeWriting(t *testing.T) {
	p := appProject(t, "FROM base\nCOPY file /\n")
	opts := p.options()
	changed := errors.New("inputs have changed")
	opts.Recheck = func(context.Context) error { return changed }
	if _, err := executor.Apply(t.Context(), p.plan(), opts); !errors.Is(err, changed) {
		t.Fatalf("Apply: %v; want the recheck's error", err)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "dist")); err == nil {
		t.Error("an output folder was left")
	}
}

func TestChangedConfIsRefused(t *testing.T) {
	p := appProject(t, "FROM base\nCOPY file /\n")
	p.write(map[string]string{"notes.txt": "one"})
	plan := p.plan()
	p.write(map[string]string{"notes.txt": "two"})
	_, err := executor.Apply(t.Context(), plan, p.options())
	if err == nil || !strings.Contains(err.Error(), "conf/notes.txt") || !strings.Contains(err.Error(), "plan again") {
		t.Fatalf("Apply: %v; want a hint to plan again", err)
	}
	if files, _ := filepath.Glob(filepath.Join(p.dir, "dist", "*")); len(files) > 0 {
		t.Errorf("left: %v", files)
	}
}

func TestMultiPlatform(t *testing.T) {
	p := newProject(t, map[string]string{
		"plant.floto.hcl": siteHCL + `
image_set "plant" {
  image "app" {
    context   = "app"
    platforms = ["linux/amd64", "linux/arm64"]
  }
}
`,
		"plant.root.hcl": rootHCL,
		"app/Dockerfile": "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /arch\n",
		"app/amd64":      "a",
		"app/arm64":      "b",
	})
	p.apply()
	first := check(t, p.file())
	img := first.Description.Flotobuild.Images[0]
	if len(img.Manifests) != 2 || img.ID != img.Descriptor.Digest {
		t.Fatalf("image %+v; want an index of two manifests, which is its id", img)
	}
	p.write(map[string]string{"app/arm64": "c"})
	if c := carried(t, p.apply()); len(c) != 1 {
		t.Errorf("after a change of one platform the patch carries %v; want one layer", c)
	}
}

// publish puts an image into a registry and an OCI layout.
func publish(t *testing.T, img ggcr.Image, ref, dir string) {
	t.Helper()
	tag, err := name.NewTag(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, img); err != nil {
		t.Fatal(err)
	}
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "1.0"})); err != nil {
		t.Fatal(err)
	}
}

func TestSourcesNeedNoEngineAndKeepTheirManifests(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	img, err := random.Image(100_000, 3)
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.ConfigFile(img, withPlatform(t, img)); err != nil {
		t.Fatal(err)
	}
	p := newProject(t, map[string]string{
		"plant.floto.hcl": siteHCL + `
image_set "plant" {
  image "app"    { source = "` + host + `/opc/server:1.0" }
  image "second" { source = "oci-layout://vendor:1.0" }
}
`,
		"plant.root.hcl": rootHCL + `
container "second" {
  image = "second"
  host  = "edge"
}
`,
	})
	publish(t, img, host+"/opc/server:1.0", filepath.Join(p.dir, "vendor"))
	p.apply()
	r := check(t, p.file())
	if n := p.bytes.total(); n != 0 {
		t.Errorf("%d bytes to an engine; want none", n)
	}
	want, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	first := r.Description.Flotobuild.Images[0]
	b, err := r.Blob(t.Context(), first.Descriptor.Digest)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
	if err != nil || string(got) != string(want) {
		t.Errorf("the manifest is %s, %v; want %s", got, err, want)
	}
	if n := len(carried(t, r)); n != 6 || first.ID != r.Description.ImageMap["second"] {
		t.Errorf("%d layers of two images, ids %v; want one image under two names", n, r.Description.ImageMap)
	}

	// The tag moves: the same reference brings new content.
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	extra, err := random.Layer(1000, "application/vnd.oci.image.layer.v1.tar+gzip")
	if err != nil {
		t.Fatal(err)
	}
	next, err := mutate.AppendLayers(img, extra)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, next, host+"/opc/server:1.0", filepath.Join(t.TempDir(), "unused"))
	second := p.apply()
	if c := carried(t, second); len(c) != 1 || len(layers) != 3 {
		t.Errorf("after the tag moved, the patch carries %v; want the added layer", c)
	}
}

func withPlatform(t *testing.T, img ggcr.Image) *ggcr.ConfigFile {
	t.Helper()
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c = c.DeepCopy()
	c.OS, c.Architecture = "linux", "amd64"
	return c
}

// TestRemoteEngine reaches an engine by address, as BUILDKIT_HOST does. It is the
// embedded one, used as any BuildKit: without the importer of ours.
func TestRemoteEngine(t *testing.T) {
	p := appProject(t, `FROM base
RUN cat /proc/sys/kernel/random/uuid > /random
COPY --link file /file
`)
	dir, err := os.MkdirTemp("", "fb") // a socket's address must be short
	if err != nil {
		t.Fatal(err)
	}
	p.state = filepath.Join(dir, "e")
	t.Cleanup(func() {
		p.wipe()
		os.RemoveAll(dir)
	})
	remote := func() executor.Options {
		opts := p.options()
		c, err := engine.Connect(t.Context(), opts.Engine)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		opts.Engine = engine.Options{Hosts: []string{"unix://" + filepath.Join(p.state, "engine.sock")}}
		return opts
	}
	res, err := executor.Apply(t.Context(), p.plan(), remote())
	if err != nil {
		t.Fatal(err)
	}
	check(t, res.Sites[0].File)
	p.write(map[string]string{"app/file": "two\n"})
	res, err = executor.Apply(t.Context(), p.plan(), remote())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(res.Sites[0].NewLayers); n != 1 {
		t.Errorf("%d new layers; want one", n)
	}
	if got := res.Sites[0].NewLayers[0]; got.Place != "app/Dockerfile:3" || got.Step != "COPY --link file /file" {
		t.Errorf("the new layer comes from %q, %q; want the COPY", got.Place, got.Step)
	}
}

func TestRemoteEngineGetsTheParentsCache(t *testing.T) {
	p := appProject(t, `FROM base
RUN cat /proc/sys/kernel/random/uuid > /random
COPY file /file
`)
	dir, err := os.MkdirTemp("", "fb")
	if err != nil {
		t.Fatal(err)
	}
	p.state = filepath.Join(dir, "e")
	t.Cleanup(func() {
		p.wipe()
		os.RemoveAll(dir)
	})
	p.apply()
	p.wipe()
	opts := p.options()
	c, err := engine.Connect(t.Context(), opts.Engine)
	if err != nil {
		t.Fatal(err)
	}
	opts.Engine = engine.Options{Hosts: []string{"unix://" + filepath.Join(p.state, "engine.sock")}}
	p.write(map[string]string{"app/file": "two\n"})
	res, err := executor.Apply(t.Context(), p.plan(), opts)
	c.Close()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(res.Sites[0].NewLayers); n != 1 {
		t.Errorf("%d new layers; want one, as the parent serves as cache", n)
	}
}

func TestSecretsAndCABundleReachStepsAndNothingElse(t *testing.T) {
	p := newProject(t, map[string]string{
		"plant.floto.hcl": siteHCL + `
flotobuild {
  engine {
    ca_bundle = "ca.pem"
  }
}
image_set "plant" {
  image "base" { rootfs = "rootfs.tar" }
  image "app" {
    context  = "app"
    contexts = { base = image_set.plant.image.base }
    secrets  = { token = { file = "token.txt" } }
  }
}
`,
		"plant.root.hcl": rootHCL,
		"ca.pem":         "bundle",
		"token.txt":      "hush-hush",
		"app/Dockerfile": `FROM base
RUN --mount=type=secret,id=ca_bundle,target=/ca.pem --mount=type=secret,id=token test "$(cat /ca.pem)" = bundle && case "$(cat /run/secrets/token)" in hush*) echo found > /found;; *) exit 1;; esac
`,
	})
	file := p.applied()
	check(t, file)
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name == "conf/token.txt" || strings.Contains(string(b), "hush-hush") {
			t.Errorf("the secret is in %s", f.Name)
		}
	}
}
