package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/delta/image"
	"github.com/flotobuild/flotobuild/planner"
)

func newDeltaCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delta",
		Short: "Make, apply, push and pull deltas between images",
		Long: "delta works on what changed between two images, or two tars, without a project. An image is a\n" +
			"folder or tar of an OCI layout, or a docker archive; oci-layout://PATH:TAG names one of\n" +
			"several. docs/delta-format.md describes the files.",
		Args: cobra.ArbitraryArgs,
		RunE: withoutCommand,
	}
	cmd.AddCommand(newDeltaCreateCommand(a), newDeltaApplyCommand(a), newDeltaShowCommand(a), newDeltaPushCommand(a), newDeltaPullCommand(a))
	return cmd
}

// exactly demands a number of arguments, which usage names.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return &hintError{
			fmt.Errorf("%s needs %s, not %d", cmd.CommandPath(), count(n, "argument"), len(args)),
			"usage: " + strings.TrimSuffix(cmd.UseLine(), " [flags]"),
		}
	}
}

// openImage opens an image by its path, or by oci-layout://PATH[:TAG][@DIGEST].
func openImage(ctx context.Context, text, platform string) (*image.Image, error) {
	c := image.Choice{Platform: platform}
	path := text
	if planner.IsLayout(text) {
		var err error
		if path, c.Name, c.Digest, err = planner.SplitLayout(text); err != nil {
			return nil, err
		}
	}
	i, err := image.Open(ctx, path, c)
	if err != nil && c.Name == "" && c.Digest == "" {
		if _, statErr := os.Stat(path); statErr == nil {
			err = &hintError{err, "oci-layout://PATH:TAG names one of several images, -platform one of several platforms"}
		}
	}
	return i, err
}

// imageName is how an image is called in messages.
func imageName(i *image.Image) string {
	if i.Form == image.Tar {
		return "tar " + i.Layers[0].DiffID.String()
	}
	return "image " + i.ID.Digest.String()
}
