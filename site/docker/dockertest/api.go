package dockertest

import (
	"context"

	"github.com/moby/moby/client"
)

func (d *Daemon) client() (*client.Client, error) { return client.New(client.WithHost(d.Address)) }

func (d *Daemon) ping(ctx context.Context) error {
	c, err := d.client()
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_, err = c.Info(ctx, client.InfoOptions{})
	return err
}

// removeAll removes all containers, which would hold the engine's end up, and
// networks, whose bridges would outlive it.
func (d *Daemon) removeAll(ctx context.Context) {
	c, err := d.client()
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	all, err := c.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return
	}
	for _, i := range all.Items {
		_, _ = c.ContainerRemove(ctx, i.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	}
	networks, err := c.NetworkList(ctx, client.NetworkListOptions{})
	if err != nil {
		return
	}
	for _, n := range networks.Items {
		if n.Driver == "bridge" {
			_, _ = c.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		}
	}
}
