package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/delta/image"
	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/lang"
)

// deltaCreateFlags are the flags of delta create.
type deltaCreateFlags struct {
	memory, manifest, platform string
	parallel                   int
}

func newDeltaCreateCommand(a *app) *cobra.Command {
	var f deltaCreateFlags
	cmd := &cobra.Command{
		Use:   "create OLD NEW DELTA",
		Short: "Write what changed between two images to a file",
		Long: "create writes the new file DELTA, from which apply makes NEW where OLD is. Both are images, of\n" +
			"any number of layers, or tars. Layers that OLD has are left out; others travel as what\n" +
			"changed against all layers of OLD, or whole where that is smaller. The delta is applied and\n" +
			"compared before it counts. The same images and flags give the same file.",
		Args: exactly(3),
		RunE: func(cmd *cobra.Command, args []string) error { return a.deltaCreate(cmd.Context(), args, &f) },
	}
	cmd.Flags().StringVar(&f.memory, "memory", "768MiB", "use about this much memory (`SIZE`); less makes larger deltas of large layers")
	cmd.Flags().IntVar(&f.parallel, "parallel", 0, "work on `N` processors (default all)")
	cmd.Flags().StringVar(&f.platform, "platform", "", "of images for several platforms, take this one, such as linux/arm64 (`PLATFORM`)")
	cmd.Flags().StringVar(&f.manifest, "manifest", string(image.Prefer),
		"`POLICY` for layers whose compression cannot be made again: require carries them as they are, so that the manifest\n"+
			"keeps its digest; prefer and ignore make a manifest with uncompressed layers, and keep the image id")
	return cmd
}

func (f *deltaCreateFlags) options(dir string) (image.CreateOptions, error) {
	o := image.CreateOptions{Policy: image.Policy(f.manifest), Dir: dir, Delta: delta.Options{Parallel: f.parallel}}
	if !slices.Contains([]image.Policy{image.Require, image.Prefer, image.Ignore}, o.Policy) {
		return o, fmt.Errorf("-manifest is %q, which is none of require, prefer and ignore", f.manifest)
	}
	if f.parallel < 0 {
		return o, fmt.Errorf("-parallel is %d: name 1 or more, or 0 for all processors", f.parallel)
	}
	var err error
	if o.Delta.Memory, err = lang.ParseSize(f.memory); err != nil {
		return o, fmt.Errorf("cannot use -memory: %w", err)
	}
	return o, nil
}

func (a *app) deltaCreate(ctx context.Context, args []string, f *deltaCreateFlags) error {
	out := args[2]
	o, err := f.options(filepath.Dir(out))
	if err != nil {
		return err
	}
	if _, err := os.Lstat(out); err == nil {
		return fmt.Errorf("cannot write %q: %w", out, fs.ErrExist)
	}
	old, err := openImage(ctx, args[0], f.platform)
	if err != nil {
		return err
	}
	defer old.Close()
	target, err := openImage(ctx, args[1], f.platform)
	if err != nil {
		return err
	}
	defer target.Close()
	a.interruptNote = "; no delta was written"
	return a.writeDelta(ctx, out, old, target, o)
}

func (a *app) writeDelta(ctx context.Context, out string, old, target *image.Image, o image.CreateOptions) error {
	file, err := atomicfile.Create(filepath.Dir(out), 0o666)
	if err != nil {
		return err
	}
	defer file.Abort()
	counted := &counter{w: file}
	note := ""
	if target.Form == image.Tar {
		_, err = image.CreateTar(ctx, counted, old, target, o)
	} else {
		var d *image.Description
		if d, err = image.Create(ctx, counted, old, target, o); err == nil {
			note = ", " + waysOf(d)
		}
	}
	if err != nil {
		return err
	}
	if err := file.Publish(out); err != nil {
		return err
	}
	a.ui.printf("%s  %s: %s%s\n", safe(out), byteSize(counted.n), imageName(target), note)
	return nil
}

// waysOf counts layers by how they travel.
func waysOf(d *image.Description) string {
	ways := map[image.Way]int{}
	for _, l := range d.Layers {
		ways[l.Way]++
	}
	return fmt.Sprintf("%s: %d shared, %d as delta, %d whole", count(len(d.Layers), "layer"), ways[image.Shared], ways[image.Delta], ways[image.Whole])
}

// A counter counts what it passes on.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// wrongBase adds a hint to the error of a delta for another image.
func wrongBase(err error) error {
	if errors.Is(err, delta.ErrWrongBase) {
		return &hintError{err, "the delta was made for another old image: flotobuild delta show lists the layers that it needs"}
	}
	return err
}
