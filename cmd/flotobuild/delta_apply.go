package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/delta/image"
	"github.com/flotobuild/flotobuild/internal/regular"
)

// deltaApplyFlags are the flags of delta apply.
type deltaApplyFlags struct {
	as, name, platform string
	exact              bool
}

func newDeltaApplyCommand(a *app) *cobra.Command {
	var f deltaApplyFlags
	cmd := &cobra.Command{
		Use:   "apply OLD DELTA NEW",
		Short: "Make the new image from the old one and a delta",
		Long: "apply writes the image or tar that DELTA was made for to NEW, where nothing may be yet. All that\n" +
			"it needs of OLD is checked before, and what it makes against its digests. The image id is\n" +
			"always that of the original; the manifest's digest is, where no layer had to be left\n" +
			"uncompressed, and never for a docker-archive, which has no manifest.",
		Args: exactly(3),
		RunE: func(cmd *cobra.Command, args []string) error { return a.deltaApply(cmd.Context(), args, &f) },
	}
	cmd.Flags().StringVar(&f.as, "as", string(image.Layout), "`FORM` of the image: oci-layout, a folder; oci-archive, a tar of it; or docker-archive, a file for docker load")
	cmd.Flags().StringVar(&f.name, "name", "", "give the image this `NAME` in the layout or archive")
	cmd.Flags().StringVar(&f.platform, "platform", "", "of an old image for several platforms, take this one (`PLATFORM`)")
	cmd.Flags().BoolVar(&f.exact, "exact", false, "fail where the manifest would have another digest than the original")
	return cmd
}

func (a *app) deltaApply(ctx context.Context, args []string, f *deltaApplyFlags) error {
	form := image.Form(f.as)
	if form != image.Layout && form != image.LayoutArchive && form != image.DockerArchive {
		return fmt.Errorf("-as is %q, which is none of oci-layout, oci-archive and docker-archive", f.as)
	}
	if f.exact && form == image.DockerArchive {
		return errors.New("-exact does not go with -as=docker-archive, which has no manifest")
	}
	a.interruptNote = "; nothing was written"
	old, err := openImage(ctx, args[0], f.platform)
	if err != nil {
		return err
	}
	defer old.Close()
	if bare, err := isBareDelta(args[1]); err != nil {
		return err
	} else if bare {
		return a.applyTar(ctx, old, args[1], args[2])
	}
	d, err := image.Read(ctx, args[1])
	if err != nil {
		return err
	}
	defer d.Close()
	r, err := d.Apply(ctx, old, args[2], image.ApplyOptions{Form: form, Name: f.name, Exact: f.exact})
	if err != nil {
		return wrongBase(err)
	}
	a.ui.printf("%s: image %s\n", safe(args[2]), r.ID)
	if r.Uncompressed > 0 {
		a.ui.warnf("the manifest is not the original: %s uncompressed in it", count(r.Uncompressed, "layer"))
	}
	return nil
}

// bareDelta is how deltas of tars begin, whatever their version is.
const bareDelta = "flotobuild delta "

// isBareDelta tells the delta of a tar from that of an image by its first bytes.
func isBareDelta(path string) (bool, error) {
	f, _, err := regular.Open(path)
	if err != nil {
		return false, fmt.Errorf("cannot read delta %q: %w", path, bareError(err))
	}
	defer f.Close()
	begin := make([]byte, len(bareDelta))
	_, err = io.ReadFull(f, begin)
	return err == nil && string(begin) == bareDelta, nil
}

func (a *app) applyTar(ctx context.Context, old *image.Image, path, out string) error {
	f, _, err := regular.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read delta %q: %w", path, bareError(err))
	}
	defer f.Close()
	h, err := image.ApplyTar(ctx, f, old, out)
	if err != nil {
		return wrongBase(err)
	}
	a.ui.printf("%s  %s: tar %s\n", safe(out), byteSize(h.Target.Size), h.Target.Digest)
	return nil
}
