package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/docker/cli/cli/config"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
	sessioncontent "github.com/moby/buildkit/session/content"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	spb "github.com/moby/buildkit/sourcepolicy/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/tonistiigi/fsutil"
	"google.golang.org/grpc/codes"

	"github.com/flotobuild/flotobuild/executor/engine"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// storeID names the offered content in sessions.
const storeID = "flotobuild"

// secretCABundle is the id of the secret that carries engine.ca_bundle.
const secretCABundle = "ca_bundle"

// build makes an image from a Dockerfile.
func (r *run) build(ctx context.Context, img *planner.ImagePlan) (*made, error) {
	conn, err := r.engines.get(ctx)
	if err != nil {
		return nil, err
	}
	imports, err := r.cacheImports(ctx, img)
	if err != nil {
		return nil, err
	}
	m, lacked, err := r.solve(ctx, conn, img, imports)
	if err == nil || !lacked || ctx.Err() != nil {
		return m, err
	}
	changed, cerr := r.completeBases(ctx, img)
	if cerr != nil {
		return nil, cerr
	}
	if changed {
		m, lacked, err = r.solve(ctx, conn, img, imports)
	}
	if err != nil && lacked && len(imports) > 0 && ctx.Err() == nil {
		r.warnAlone(img)
		m, _, err = r.solve(ctx, conn, img, nil)
	}
	return m, err
}

// solve runs one build and reads its result. Where it fails, it also tells
// whether the engine wanted a blob that nobody has whole.
func (r *run) solve(ctx context.Context, conn *engine.Conn, img *planner.ImagePlan, imports []ocispec.Descriptor) (*made, bool, error) {
	offered := &offer{from: append(slices.Clip(r.sources), newEngineSource(conn.Client))}
	opt, err := r.solveOpt(conn, img, imports, offered)
	if err != nil {
		return nil, false, err
	}
	watch := newStepWatch()
	status, shown := r.opts.Progress.build(img.Name, watch)
	resp, err := conn.Client.Solve(ctx, nil, *opt, status)
	shown()
	if err != nil {
		if ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		if grpcerrors.Code(err) == codes.Unavailable {
			err = lost(conn, err)
		}
		lacked := offered.lacked()
		if strings.Contains(err.Error(), "unexpected commit digest") {
			lacked, err = true, fmt.Errorf("%w: a patch in the output folder is damaged, which one \"flotobuild verify\" tells", err)
		}
		return nil, lacked, watch.explain(img.Address, path.Join(img.Build.Context, img.Build.Dockerfile), err)
	}
	dgst, err := digest.Parse(resp.ExporterResponse["containerimage.digest"])
	if err != nil {
		return nil, false, fmt.Errorf("cannot read the built image %s: the engine names no digest: %w", img.Address, err)
	}
	src := newEngineSource(conn.Client)
	m, err := readBuilt(ctx, src, img, dgst)
	if err != nil {
		return nil, false, fmt.Errorf("cannot read the built image %s: %w", img.Address, err)
	}
	m.steps, m.cached = watch.counts()
	r.holders.add(m, src)
	if err := r.retime(ctx, src, img, m); err != nil {
		return nil, false, err
	}
	r.remember(img, m)
	return m, false, nil
}

// lost says that an engine went away in the middle of a build.
func lost(conn *engine.Conn, err error) error {
	if conn.Embedded {
		return fmt.Errorf("the build engine has ended unexpectedly (%w): its log may say why, see \"flotobuild engine logs\"; apply again to start another one", err)
	}
	return fmt.Errorf("the connection to the build engine %q is lost (%w): apply again when it is back", conn.Address, err)
}

func (r *run) solveOpt(conn *engine.Conn, img *planner.ImagePlan, imports []ocispec.Descriptor, offered content.Store) (*client.SolveOpt, error) {
	attrs, err := r.frontendAttrs(conn, img, imports)
	if err != nil {
		return nil, err
	}
	inputs, err := r.baseInputs(img, attrs)
	if err != nil {
		return nil, err
	}
	mounts, err := r.mounts(img)
	if err != nil {
		return nil, err
	}
	attachables, err := r.attachables(img, offered)
	if err != nil {
		return nil, err
	}
	policy, err := pins(img.Build.Pins)
	if err != nil {
		return nil, err
	}
	export := map[string]string{
		"push":           "false",
		"oci-mediatypes": "true",
		"compression":    compressionName(r.plan.Engine.Compression),
	}
	if r.opts.Epoch != nil {
		// For the exporter alone: as a build argument it would be in the
		// environment of every RUN, and each release would run them all again.
		export["source-date-epoch"] = strconv.FormatInt(r.opts.Epoch.Unix(), 10)
	}
	return &client.SolveOpt{
		Frontend:       "dockerfile.v0",
		FrontendAttrs:  attrs,
		FrontendInputs: inputs,
		LocalMounts:    mounts,
		SharedKey:      digest.FromString(r.opts.Dir + "\x00" + img.Build.Context).Encoded(),
		Session:        attachables,
		SourcePolicy:   policy,
		CacheExports:   []client.CacheOptionsEntry{{Type: "inline"}},
		Exports:        []client.ExportEntry{{Type: client.ExporterImage, Attrs: export}},
	}, nil
}

// compressionName is BuildKit's name of a compression.
func compressionName(c string) string {
	switch c {
	case "":
		return "zstd"
	case "none":
		return "uncompressed"
	}
	return c
}

func (r *run) frontendAttrs(conn *engine.Conn, img *planner.ImagePlan, imports []ocispec.Descriptor) (map[string]string, error) {
	b := img.Build
	attrs := map[string]string{
		"filename": b.Dockerfile,
		"platform": strings.Join(img.Platforms, ","),
		"cmdline":  "embedded", // a "# syntax=" line must not pull a frontend image
	}
	if b.Target != "" {
		attrs["target"] = b.Target
	}
	for k, v := range b.Args {
		attrs["build-arg:"+k] = v
	}
	for k, v := range img.Labels {
		attrs["label:"+k] = v
	}
	for name, c := range b.Contexts {
		switch {
		case c.Dir != "":
			attrs["context:"+name] = "local:" + localName(name)
		case c.Ref != "":
			attrs["context:"+name] = c.Ref
		}
	}
	return attrs, addImports(attrs, conn.Embedded, imports)
}

// localName is the name of a named context's folder in the session.
func localName(context string) string { return "named-" + context }

// addImports lists cache manifests for the frontend. The embedded engine has an
// importer of ours; others get the manifests through BuildKit's "local" one.
func addImports(attrs map[string]string, embedded bool, imports []ocispec.Descriptor) error {
	type entry struct {
		Type  string
		Attrs map[string]string
	}
	var list []entry
	for _, d := range imports {
		if embedded {
			list = append(list, entry{engine.ImporterType, map[string]string{"store": "oci:" + storeID, "digest": d.Digest.String()}})
		} else {
			list = append(list, entry{"local", map[string]string{"src": storeID, "digest": d.Digest.String()}})
		}
	}
	if len(list) == 0 {
		return nil
	}
	b, err := json.Marshal(list)
	attrs["cache-imports"] = string(b)
	return err
}

func (r *run) path(name string) string {
	if path.IsAbs(name) {
		return filepath.FromSlash(name)
	}
	return filepath.Join(r.opts.Dir, filepath.FromSlash(name))
}

func (r *run) mounts(img *planner.ImagePlan) (map[string]fsutil.FS, error) {
	mounts := make(map[string]fsutil.FS)
	add := func(name, dir string) error {
		fs, err := fsutil.NewFS(r.path(dir))
		if err != nil {
			return fmt.Errorf("cannot read build context %q of %s: %w", dir, img.Address, err)
		}
		mounts[name] = fs
		return nil
	}
	err := errors.Join(add("context", img.Build.Context), add("dockerfile", img.Build.Context))
	for name, c := range img.Build.Contexts {
		if c.Dir != "" {
			err = errors.Join(err, add(localName(name), c.Dir))
		}
	}
	return mounts, err
}

func (r *run) attachables(img *planner.ImagePlan, offered content.Store) ([]session.Attachable, error) {
	var files []secretsprovider.Source
	for id, s := range img.Build.Secrets {
		f := secretsprovider.Source{ID: id, Env: s.Env}
		if s.File != "" {
			f.FilePath = r.path(s.File)
		}
		files = append(files, f)
	}
	if ca := r.plan.Engine.CABundle; ca != "" {
		files = append(files, secretsprovider.Source{ID: secretCABundle, FilePath: r.path(ca)})
	}
	secrets, err := secretsprovider.NewStore(files)
	if err != nil {
		return nil, fmt.Errorf("cannot read the secrets of %s: %w", img.Address, err)
	}
	return []session.Attachable{
		sessioncontent.NewAttachable(map[string]content.Store{"oci:" + storeID: offered, "local:" + storeID: offered}),
		secretsprovider.NewSecretProvider(secrets),
		authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
			AuthConfigProvider: authprovider.LoadAuthConfig(config.LoadDefaultConfigFile(io.Discard)),
		}),
	}, nil
}

// pins makes a policy that replaces each reference by the digest that the plan
// found behind it.
func pins(p map[string]digest.Digest) (*spb.Policy, error) {
	if len(p) == 0 {
		return nil, nil
	}
	policy := &spb.Policy{Version: 1}
	for key, d := range p {
		from, to, err := planner.PinSource(key, d)
		if err != nil {
			return nil, err
		}
		policy.Rules = append(policy.Rules, &spb.Rule{
			Action:   spb.PolicyAction_CONVERT,
			Selector: &spb.Selector{Identifier: from},
			Updates:  &spb.Update{Identifier: to},
		})
	}
	return policy, nil
}

// readBuilt reads the documents of a built image out of the engine.
func readBuilt(ctx context.Context, src engineSource, img *planner.ImagePlan, dgst digest.Digest) (*made, error) {
	manifests, multi, err := manifestsOf(ctx, src, dgst)
	if err != nil {
		return nil, err
	}
	m := &made{plan: img, multi: multi}
	for _, desc := range manifests {
		p, err := readPlatform(ctx, src, desc)
		if err != nil {
			return nil, err
		}
		m.platforms = append(m.platforms, *p)
	}
	return m, nil
}

func readPlatform(ctx context.Context, src store.Source, desc ocispec.Descriptor) (*platformImage, error) {
	manifest, err := store.ReadManifest(ctx, src, desc)
	if err != nil {
		return nil, err
	}
	raw, err := store.ReadBlob(ctx, src, manifest.Config)
	if err != nil {
		return nil, err
	}
	p := &platformImage{configType: manifest.Config.MediaType}
	if p.config, p.records, err = splitConfig(raw); err != nil {
		return nil, err
	}
	return p, p.parse(manifest.Layers)
}
