package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch/legacy"
	"github.com/flotobuild/flotobuild/store"
)

// convertFlags are the flags of convert.
type convertFlags struct {
	out         string
	compression string
	asJSON      bool
}

func newConvertCommand(a *app) *cobra.Command {
	var f convertFlags
	cmd := &cobra.Command{
		Use:   "convert [-out DIR] OLD...",
		Short: "Write patch files of floto anew in today's form",
		Long: "convert reads patches that floto itself wrote and writes them in the form of today, with\n" +
			"the same ids. An incremental patch needs its parents, down to the initial one: name all of\n" +
			"them. Docker's old images become OCI images with new ids; layers keep their content.\n" +
			"conf/.git/ stays behind. The new patches have no manifest, since floto's own root definition\n" +
			"files make none.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &hintError{errors.New("convert needs patch files of floto"), "usage: flotobuild convert [-out DIR] OLD..."}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.convert(cmd.Context(), args, &f) },
	}
	cmd.Flags().StringVar(&f.out, "out", ".", "folder for the new files (`DIR`)")
	cmd.Flags().StringVar(&f.compression, "compression", string(store.Zstd), "of the layers: zstd, gzip or none (`KIND`)")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) convert(ctx context.Context, names []string, f *convertFlags) error {
	compression := store.Compression(f.compression)
	if compression != store.Zstd && compression != store.Gzip && compression != store.None {
		return &hintError{fmt.Errorf("compression %q is unknown", f.compression), "-compression takes zstd, gzip or none"}
	}
	var files []*legacy.Reader
	defer func() {
		for _, p := range files {
			p.Close()
		}
	}()
	for _, name := range names {
		p, err := openLegacy(name)
		if err == nil && p == nil {
			err = &hintError{fmt.Errorf("%q is no patch file of floto itself", name), "patches of today need no conversion"}
		}
		if err != nil {
			return err
		}
		files = append(files, p)
	}
	done, err := legacy.Convert(ctx, files, legacy.Options{Dir: f.out, Compression: compression})
	if err != nil {
		return err
	}
	if f.asJSON {
		b, err := json.MarshalIndent(map[string]any{"formatVersion": 1, "patches": done}, "", "  ")
		if err != nil {
			return err
		}
		a.ui.printJSON(b)
		return nil
	}
	for _, c := range done {
		a.ui.printf("%s: %s, %s in this patch, %s\n", safe(c.File), count(c.Images, "image"), count(c.Layers, "layer"), byteSize(c.Size))
		if n := len(c.Dropped); n > 0 {
			a.ui.printf("  left out: %s, such as %s\n", count(n, "entry"), safe(c.Dropped[0]))
		}
	}
	return nil
}
