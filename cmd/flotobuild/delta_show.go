package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/delta/image"
	"github.com/flotobuild/flotobuild/internal/regular"
)

func newDeltaShowCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show DELTA",
		Short: "Show what a delta makes, and what it needs",
		Long: "show prints the image or tar that a delta makes, how each layer travels, and the layers that\n" +
			"the old image must have.",
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error { return a.deltaShow(cmd.Context(), args[0], asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: the description as the delta has it")
	return cmd
}

func (a *app) deltaShow(ctx context.Context, path string, asJSON bool) error {
	bare, err := isBareDelta(path)
	if err != nil {
		return err
	}
	if bare {
		return a.showTarDelta(path, asJSON)
	}
	d, err := image.Read(ctx, path)
	if err != nil {
		return err
	}
	defer d.Close()
	if asJSON {
		return a.printValue(d.Description)
	}
	a.ui.printf("delta     %s\nimage     %s\n", byteSize(d.Bytes), d.Image.Digest)
	if d.Manifest != nil {
		a.ui.printf("manifest  %s\n", d.Manifest.Digest)
	}
	for _, l := range d.Layers {
		how := string(l.Way)
		if l.Content != nil {
			how += " " + byteSize(l.Content.Size)
		}
		a.ui.printf("layer     %s  %s, %s\n", l.DiffID, byteSize(l.Size), how)
	}
	a.showBases(d.Bases)
	return nil
}

func (a *app) showTarDelta(path string, asJSON bool) error {
	f, info, err := regular.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read delta %q: %w", path, bareError(err))
	}
	defer f.Close()
	h, err := delta.Inspect(f)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printValue(h)
	}
	a.ui.printf("delta     %s\ntar       %s  %s\n", byteSize(info.Size()), h.Target.Digest, byteSize(h.Target.Size))
	a.showBases(h.Bases)
	return nil
}

func (a *app) showBases(bases []delta.Descriptor) {
	for _, b := range bases {
		a.ui.printf("needs     %s  %s\n", b.Digest, byteSize(b.Size))
	}
}

// printValue prints a value as indented JSON.
func (a *app) printValue(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot print JSON: %w", err)
	}
	a.ui.printJSON(b)
	return nil
}
