package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/delta/image"
	"github.com/flotobuild/flotobuild/delta/registry"
	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

func newDeltaPushCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "push DELTA REFERENCE",
		Short: "Put a delta beside its new image in a registry",
		Long: "push writes the delta of an image to a registry, as an artifact whose subject is the image that\n" +
			"it makes. REFERENCE names that image, which must be there. Credentials are those of docker\n" +
			"login; loopback and private addresses may speak plain http.",
		Args: exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error { return a.deltaPush(cmd.Context(), args[0], args[1]) },
	}
}

func (a *app) deltaPush(ctx context.Context, path, ref string) error {
	if bare, err := isBareDelta(path); err != nil {
		return err
	} else if bare {
		return fmt.Errorf("cannot push %q: it makes a tar, and registries have images", path)
	}
	d, err := image.Read(ctx, path)
	if err != nil {
		return err
	}
	defer d.Close()
	a.interruptNote = "; the delta is not in the registry"
	at, err := registry.Push(ctx, d, ref)
	if errors.Is(err, registry.ErrOtherImage) {
		return &hintError{err, "push the new image first, and name it"}
	}
	if err != nil {
		return err
	}
	a.ui.printf("%s\n", safe(at))
	return nil
}

// deltaPullFlags are the flags of delta pull.
type deltaPullFlags struct{ from, platform string }

func newDeltaPullCommand(a *app) *cobra.Command {
	var f deltaPullFlags
	cmd := &cobra.Command{
		Use:   "pull REFERENCE DELTA",
		Short: "Fetch a delta that makes an image from a registry",
		Long: "pull looks for deltas that make the image of REFERENCE, and writes one to the new file DELTA. With\n" +
			"-from it is the smallest that can be applied to that old image; without, there must be only\n" +
			"one.",
		Args: exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error { return a.deltaPull(cmd.Context(), args[0], args[1], &f) },
	}
	cmd.Flags().StringVar(&f.from, "from", "", "the old image that the delta is to be applied to (`IMAGE`)")
	cmd.Flags().StringVar(&f.platform, "platform", "", "of images for several platforms, take this one (`PLATFORM`)")
	return cmd
}

func (a *app) deltaPull(ctx context.Context, ref, out string, f *deltaPullFlags) error {
	if _, err := os.Lstat(out); err == nil {
		return fmt.Errorf("cannot write %q: %w", out, fs.ErrExist)
	}
	var old *image.Image
	if f.from != "" {
		var err error
		if old, err = openImage(ctx, f.from, f.platform); err != nil {
			return err
		}
		defer old.Close()
	}
	offers, err := registry.Find(ctx, ref, f.platform, old)
	if err != nil {
		return err
	}
	if old == nil && len(offers) > 1 {
		return &hintError{fmt.Errorf("the registry has %d deltas for %q", len(offers), ref), "-from=IMAGE names the old image that it is to be applied to"}
	}
	a.interruptNote = "; nothing was written"
	file, err := atomicfile.Create(filepath.Dir(out), 0o666)
	if err != nil {
		return err
	}
	defer file.Abort()
	counted := &counter{w: file}
	if err := offers[0].Write(ctx, counted); err != nil {
		return err
	}
	if err := file.Publish(out); err != nil {
		return err
	}
	a.ui.printf("%s  %s: image %s\n", safe(out), byteSize(counted.n), offers[0].Image.Digest)
	return nil
}
