package docker

import (
	"context"
	"fmt"
	"io"
	"path"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/opencontainers/go-digest"
)

// labelFolder marks the containers that folders are reached through.
const labelFolder = "flotobuild.folder"

// A Folder is one of the engine's machine, which is made where there is none. It
// is reached through a container that has it mounted and is never started:
// engines copy files through such ones, and need no program for it.
type Folder struct {
	engine *Engine
	id     string
}

// inside is where the container sees the folder.
const inside = "/flotobuild"

// Folder opens the folder at an absolute path. The image is one that the engine
// has, whatever is in it. The caller closes the folder.
func (e *Engine) Folder(ctx context.Context, image digest.Digest, dir string) (*Folder, error) {
	left, err := e.Containers(ctx, map[string]string{labelFolder: dir})
	if err != nil {
		return nil, err
	}
	for _, c := range left { // of a process that was killed
		if err := e.Remove(ctx, &c); err != nil {
			return nil, err
		}
	}
	r, err := e.client.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:     &container.Config{Image: image.String(), Cmd: []string{"-"}, Labels: map[string]string{labelFolder: dir}},
		HostConfig: &container.HostConfig{Binds: []string{dir + ":" + inside}, NetworkMode: "none"},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot open folder %q of the engine %q: %w", dir, e.Name, err)
	}
	return &Folder{e, r.ID}, nil
}

// Has says whether the folder has a file or folder of that name.
func (f *Folder) Has(ctx context.Context, name string) (bool, error) {
	_, err := f.engine.client.ContainerStatPath(ctx, f.id, client.ContainerStatPathOptions{Path: path.Join(inside, name)})
	switch {
	case errdefs.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("cannot look for %q on the engine %q: %w", name, f.engine.Name, err)
	}
	return true, nil
}

// Put unpacks a tar into the folder. A failure may leave a part of it there.
func (f *Folder) Put(ctx context.Context, tar io.Reader) error {
	_, err := f.engine.client.CopyToContainer(ctx, f.id, client.CopyToContainerOptions{DestinationPath: inside, Content: tar})
	if err != nil {
		return fmt.Errorf("cannot copy files to the engine %q: %w", f.engine.Name, err)
	}
	return nil
}

// Close lets go of the folder.
func (f *Folder) Close(ctx context.Context) error {
	return f.engine.Remove(ctx, &Container{ID: f.id, Name: f.id, State: Created})
}
