package docker

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// An Engine is a running engine. It is safe for concurrent use.
type Engine struct {
	*Endpoint
	// ID tells engines apart; two addresses may lead to one engine. The engine's
	// own is not enough for it: before version 23 it is a file of the machine,
	// which copies of the machine and other engines there have, too.
	ID      string
	Version string // such as 20.10.24

	client   *client.Client
	platform ocispec.Platform // of its containers
	// complete says that images must be loaded with all their layers, and are
	// known by their manifests: containerd keeps them. Docker's own store takes
	// what it lacks, and knows them by their configs.
	complete bool
	zstd     bool // it reads layers in zstd
}

// Connect asks the engine what it is. The error where none can be reached is an
// *AbsentError.
func Connect(ctx context.Context, p *Endpoint) (*Engine, error) {
	e, err := connect(ctx, p)
	if err != nil {
		return nil, absent(p, err)
	}
	return e, nil
}

func connect(ctx context.Context, p *Endpoint) (*Engine, error) {
	opts, err := p.docker.ClientOpts()
	if err != nil {
		return nil, err
	}
	c, err := client.New(opts...)
	if err != nil {
		return nil, err
	}
	e := &Engine{Endpoint: p, client: c}
	if err := e.identify(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return e, nil
}

func (e *Engine) identify(ctx context.Context) error {
	r, err := e.client.Info(ctx, client.InfoOptions{})
	if err != nil {
		return err
	}
	e.ID, e.Version = strings.Join([]string{r.Info.ID, r.Info.Name, r.Info.DockerRootDir}, " "), r.Info.ServerVersion
	if e.platform, err = platforms.Parse(r.Info.OSType + "/" + architecture(r.Info.Architecture)); err != nil {
		return err
	}
	e.complete = slices.ContainsFunc(r.Info.DriverStatus, func(s [2]string) bool {
		return s[0] == "driver-type" && strings.HasPrefix(s[1], "io.containerd.snapshotter")
	})
	// Docker reads zstd from version 23 on.
	major, _, _ := strings.Cut(e.Version, ".")
	n, err := strconv.Atoi(major)
	e.zstd = e.complete || err == nil && n >= 23
	return nil
}

// architecture turns names of the kernel that images do not have into theirs.
func architecture(machine string) string {
	switch machine {
	case "armv7l", "armv6l":
		return "arm/" + machine[3:5]
	case "i686":
		return "386"
	}
	return machine
}

// Close lets go of the connections to the engine.
func (e *Engine) Close() { _ = e.client.Close() }
