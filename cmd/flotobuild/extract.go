package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	imagename "github.com/distribution/reference"
	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/relate"
)

// Forms of an extracted image.
const (
	asLayout  = "oci-layout"
	asArchive = "docker-archive"
)

// extractFlags are the flags of extract.
type extractFlags struct {
	conf, documents      string
	image, as, out, plat string
	with                 []string
}

func newExtractCommand(a *app) *cobra.Command {
	var f extractFlags
	cmd := &cobra.Command{
		Use:   "extract FILE",
		Short: "Take files or an image out of a patch",
		Long: "extract writes the copy of the project, the documents, or one image of a patch. Layers that\n" +
			"the patch does not bring come from the patches that it builds on where they stand beside\n" +
			"it, and from what -with names. Nothing that is there already is replaced.",
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error { return a.extract(cmd.Context(), args[0], &f) },
	}
	cmd.Flags().StringVar(&f.conf, "conf", "", "write the copy of the project to the new folder `DIR`")
	cmd.Flags().StringVar(&f.documents, "documents", "", "write the documents to the new folder `DIR`")
	cmd.Flags().StringVar(&f.image, "image", "", "write the image of this `NAME` or address to what -out names")
	cmd.Flags().StringVar(&f.as, "as", asLayout, "`FORM` of the image: oci-layout, a folder; or docker-archive, a file for docker load")
	cmd.Flags().StringVar(&f.out, "out", "", "new folder or file for the image (`PATH`)")
	cmd.Flags().StringVar(&f.plat, "platform", "", "of an image for several platforms, put this one into the docker-archive, such as linux/arm64 (`PLATFORM`)")
	cmd.Flags().StringArrayVar(&f.with, "with", nil, "take layers from this patch, folder of patches, or OCI image layout (`PATH`); may stand several times")
	return cmd
}

// check refuses flags that do not fit together before anything is written.
func (f *extractFlags) check() error {
	switch {
	case f.conf == "" && f.documents == "" && f.image == "":
		return &hintError{errors.New("extract needs to know what to take out"), "name -conf, -documents or -image"}
	case f.image != "" && f.out == "":
		return &hintError{errors.New("-image needs -out"), "-out names the new folder or file"}
	case f.image == "" && f.out != "":
		return &hintError{errors.New("-out is for images"), "-image names one, -conf and -documents name their folders themselves"}
	case f.as != asLayout && f.as != asArchive:
		return fmt.Errorf("-as is %q, which is neither %s nor %s", f.as, asLayout, asArchive)
	}
	return nil
}

func (a *app) extract(ctx context.Context, file string, f *extractFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	hand := relate.NewHand(patchOpener{a})
	defer hand.Close()
	p, err := hand.Patch(file)
	if err != nil {
		return err
	}
	if f.image != "" {
		if err := gather(hand, file, p, f.with); err != nil {
			return err
		}
		if err := a.extractImage(ctx, hand, p.Description, f); err != nil {
			return fmt.Errorf("cannot extract image %q: %w", f.image, err)
		}
	}
	for _, part := range [][3]string{{"conf", patch.ConfDir, f.conf}, {"documents", patch.DocumentsDir, f.documents}} {
		if part[2] == "" {
			continue
		}
		n, err := relate.Unpack(ctx, p, part[1], part[2])
		switch {
		case err != nil:
			return fmt.Errorf("cannot extract %s: %w", part[0], err)
		case n == 0:
			a.ui.warnf("the patch has no %s: %q was not made", part[0], part[2])
		default:
			a.ui.printf("%s: %s\n", safe(part[2]), count(n, "file"))
		}
	}
	return nil
}

func (a *app) extractImage(ctx context.Context, hand *relate.Hand, d *patch.Description, f *extractFlags) error {
	i, err := relate.FindImage(d, f.image)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(f.out); err == nil && f.as == asArchive {
		return fmt.Errorf("%q: %w", f.out, fs.ErrExist)
	}
	if f.as == asLayout {
		err = hand.Layout(ctx, d, i, f.out)
	} else {
		var m *patch.Manifest
		if m, err = relate.Platform(i, f.plat); err != nil {
			return &hintError{err, "-platform names one"}
		}
		err = hand.Archive(ctx, d, m, imageTag(d, i), f.out)
	}
	var missing *relate.MissingError
	if errors.As(err, &missing) {
		return &hintError{err, "-with=PATH adds a patch, a folder of patches, or an OCI image layout"}
	}
	if err == nil {
		a.ui.printf("%s: image %s, %s\n", safe(f.out), safe(i.Name), i.ID)
	}
	return err
}

// imageTag names an image for docker load by its name and the patch's version;
// "" where that is no reference.
func imageTag(d *patch.Description, i *patch.Image) string {
	tag := i.Name + ":" + strings.ReplaceAll(d.Flotobuild.Version, "+", "-")
	if _, err := imagename.ParseNormalizedNamed(tag); err != nil {
		return ""
	}
	return tag
}
