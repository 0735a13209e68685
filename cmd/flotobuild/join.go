package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch/volume"
)

// joinFlags are the flags of join.
type joinFlags struct {
	from []string
	out  string
}

func newJoinCommand(a *app) *cobra.Command {
	var f joinFlags
	cmd := &cobra.Command{
		Use:   "join VOLUME|FOLDER...",
		Short: "Join volumes, and restore lost ones by parity",
		Long: "join writes the file that a volume is of. The other volumes are looked for beside it and in\n" +
			"the folders of -from, and recognized by what they hold, whatever their names are. Missing and\n" +
			"damaged ones are named, and restored where there is parity enough. The file appears when its\n" +
			"digest is right; the volumes stay.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &hintError{errors.New("join needs a volume, or a folder with volumes"), "usage: flotobuild join VOLUME|FOLDER..."}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.join(cmd.Context(), args, &f) },
	}
	cmd.Flags().StringArrayVar(&f.from, "from", nil, "look for volumes in this `DIR`, too; may stand several times")
	cmd.Flags().StringVar(&f.out, "out", "", "write this `FILE` (default the file's name beside the first volume that is named)")
	return cmd
}

func (a *app) join(ctx context.Context, paths []string, f *joinFlags) error {
	s, err := volume.Find(paths, f.from)
	if errors.Is(err, volume.ErrNone) {
		return fmt.Errorf("cannot join: %w in %s", err, strings.Join(quoted(paths), ", "))
	}
	if err != nil {
		return err
	}
	out := f.out
	if out == "" {
		out = filepath.Join(folderOf(paths[0]), s.Index.Name)
	}
	a.interruptNote = "; no file was written"
	report, err := volume.Join(ctx, s, out, volume.Options{})
	if errors.Is(err, fs.ErrExist) {
		return &hintError{err, "name another file with -out"}
	}
	if report != nil && ctx.Err() == nil {
		a.warnVolumes(report)
	}
	if err != nil {
		return err
	}
	a.ui.printf("%s  %s\n", safe(out), byteSize(s.Index.Size))
	return nil
}

// warnVolumes tells what is wrong with volumes.
func (a *app) warnVolumes(r *volume.Report) {
	for _, s := range r.States {
		for _, p := range s.Problems {
			a.ui.warnf("volume %s: %s", s.Name, p)
		}
	}
}

func quoted(names []string) []string {
	var out []string
	for _, n := range names {
		out = append(out, fmt.Sprintf("%q", n))
	}
	return out
}
