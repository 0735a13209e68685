package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	ctdsnapshot "github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"github.com/moby/buildkit/cache/remotecache"
	"github.com/moby/buildkit/cache/remotecache/inline"
	"github.com/moby/buildkit/cache/remotecache/local"
	"github.com/moby/buildkit/cache/remotecache/registry"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/cmd/buildkitd/config"
	"github.com/moby/buildkit/control"
	"github.com/moby/buildkit/executor/oci"
	"github.com/moby/buildkit/executor/runcexecutor"
	"github.com/moby/buildkit/frontend"
	dockerfile "github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/gateway/forwarder"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/bboltcachestorage"
	"github.com/moby/buildkit/util/db/boltutil"
	"github.com/moby/buildkit/util/disk"
	"github.com/moby/buildkit/util/network/netproviders"
	"github.com/moby/buildkit/util/resolver"
	"github.com/moby/buildkit/version"
	"github.com/moby/buildkit/worker"
	"github.com/moby/buildkit/worker/base"
	"github.com/moby/buildkit/worker/runc"
	bolt "go.etcd.io/bbolt"
)

// historyEntries is how many finished builds BuildKit remembers. The blobs of a
// result stay until its record goes, so it must exceed the images of one apply.
const historyEntries = 2000

// newController opens BuildKit on root. The caller holds the folder's lock:
// BuildKit opens its databases without a timeout and would hang on a second
// one. runcName is as FindRunc takes it.
func newController(root, runcName string) (*control.Controller, error) {
	sessions, err := session.NewManager()
	if err != nil {
		return nil, err
	}
	hosts := resolver.NewRegistryConfig(nil)
	opt, err := workerOpt(root, runcName)
	if err != nil {
		return nil, err
	}
	opt.RegistryHosts = hosts
	w, err := base.NewWorker(context.Background(), opt)
	if err != nil {
		return nil, err
	}
	workers := &worker.Controller{}
	if err := workers.Add(w); err != nil {
		return nil, err
	}
	cache, err := bboltcachestorage.NewStore(filepath.Join(root, "cache.db"))
	if err != nil {
		return nil, err
	}
	history, err := boltutil.SafeOpen(filepath.Join(root, "history.db"), 0o600, &bolt.Options{FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	entries := int64(historyEntries)
	return control.NewController(control.Opt{
		SessionManager:   sessions,
		WorkerController: workers,
		Frontends: map[string]frontend.Frontend{
			"dockerfile.v0": forwarder.NewGatewayForwarder(workers.Infos(), dockerfile.Build),
		},
		ResolveCacheExporterFuncs: map[string]remotecache.ResolveCacheExporterFunc{
			"inline":   inline.ResolveCacheExporterFunc(),
			"local":    local.ResolveCacheExporterFunc(sessions),
			"registry": registry.ResolveCacheExporterFunc(sessions, hosts),
		},
		ResolveCacheImporterFuncs: map[string]remotecache.ResolveCacheImporterFunc{
			ImporterType: parentImporter(sessions),
			"local":      local.ResolveCacheImporterFunc(sessions),
			"registry":   registry.ResolveCacheImporterFunc(sessions, w.ContentStore(), hosts),
		},
		CacheManager:   solver.NewCacheManager(context.Background(), "local", cache, worker.NewCacheResultStorage(workers)),
		HistoryDB:      history,
		CacheStore:     cache,
		LeaseManager:   w.LeaseManager(),
		ContentStore:   w.ContentStore(),
		HistoryConfig:  &config.HistoryConfig{MaxEntries: &entries},
		GarbageCollect: w.GarbageCollect,
	})
}

func workerOpt(root, runcName string) (base.WorkerOpt, error) {
	self, err := os.Executable()
	if err != nil {
		return base.WorkerOpt{}, err
	}
	// NewWorkerOpt insists on a runtime that exists; the real one is found by
	// lazyRuntime when it is needed.
	opt, err := runc.NewWorkerOpt(root, snapshotter(root), rootless(), oci.ProcessSandbox, nil, nil,
		netproviders.Opt{Mode: "host"}, nil, self, "", false, nil, "", "", nil)
	if err != nil {
		return opt, err
	}
	opt.Executor = &lazyRuntime{
		name: runcName,
		opt: runcexecutor.Opt{
			Root:            filepath.Join(opt.Root, "executor"),
			Rootless:        rootless(),
			ProcessMode:     oci.ProcessSandbox,
			ResourceMonitor: opt.ResourceMonitor,
			ProxyProvider:   opt.ProxyProvider,
		},
		networks: opt.NetworkProviders,
	}
	opt.ContentStore = withRestarts(opt.ContentStore)
	opt.GCPolicy = gcPolicy(root)
	opt.BuildkitVersion = client.BuildkitVersion{Package: version.Package, Version: version.Version, Revision: version.Revision}
	return opt, nil
}

// snapshotter chooses overlayfs where the kernel and file system allow it.
func snapshotter(root string) runc.SnapshotterFactory {
	if overlayutils.Supported(root) != nil {
		return runc.SnapshotterFactory{Name: "native", New: native.NewSnapshotter}
	}
	return runc.SnapshotterFactory{Name: "overlayfs", New: func(dir string) (ctdsnapshot.Snapshotter, error) {
		return overlay.NewSnapshotter(dir, overlay.AsynchronousRemove)
	}}
}

// gcPolicy bounds the cache: BuildKit's default would keep a fifth of the disk
// free whoever fills it, and so throw the cache away on a well used disk.
func gcPolicy(root string) []client.PruneInfo {
	const gib = 1 << 30
	limit := int64(50 * gib)
	if st, err := disk.GetDiskStat(root); err == nil && st.Total > 0 {
		limit = min(limit, st.Total/2)
	}
	return []client.PruneInfo{
		{
			Filter:       []string{"type==source.local,type==exec.cachemount,type==source.git.checkout"},
			KeepDuration: 48 * 60 * 60 * 1e9,
			MaxUsedSpace: gib / 2,
		},
		{ReservedSpace: 2 * gib, MaxUsedSpace: limit, MinFreeSpace: gib},
		{All: true, ReservedSpace: 2 * gib, MaxUsedSpace: limit, MinFreeSpace: gib},
	}
}

func prepareRoot(dir string) (string, error) {
	root := buildkitRoot(dir)
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", fmt.Errorf("cannot create the engine's state folder: %w", err)
	}
	tmp, run := filepath.Join(dir, "tmp"), filepath.Join(dir, "run")
	if err := unmountBelow(tmp, run); err != nil {
		return "", err
	}
	if left, err := filepath.Glob(filepath.Join(run, "containerd-mount*")); err == nil {
		for _, d := range left {
			os.Remove(d) // empty, or somebody's
		}
	}
	if err := errors.Join(os.RemoveAll(tmp), os.MkdirAll(tmp, 0o700), os.MkdirAll(run, 0o700)); err != nil {
		return "", fmt.Errorf("cannot prepare the engine's folder for temporary files: %w", err)
	}
	return root, nil
}
