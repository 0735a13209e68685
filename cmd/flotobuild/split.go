package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// splitFlags are the flags of split.
type splitFlags struct {
	volumeFlags
	out string
}

// volumeFlags say how a file is split.
type volumeFlags struct {
	volumeSize string
	parity     int
}

func (f *volumeFlags) define(cmd *cobra.Command, prefix string) {
	cmd.Flags().StringVar(&f.volumeSize, "volume-size", "", prefix+"largest `SIZE` of a volume, such as 4.7GB or 650MiB: GB is 10⁹ bytes, GiB 2³⁰")
	cmd.Flags().IntVar(&f.parity, "parity", 0, "write `N` parity volumes")
}

// read gives the sizes; the zero value where there are no flags.
func (f *volumeFlags) read() (patch.Volumes, error) {
	switch {
	case f.volumeSize == "" && f.parity != 0:
		return patch.Volumes{}, &hintError{errors.New("cannot use -parity without -volume-size"), "name the size of the volumes, such as -volume-size 4.7GB"}
	case f.volumeSize == "":
		return patch.Volumes{}, nil
	}
	size, err := lang.ParseSize(f.volumeSize)
	if err != nil {
		return patch.Volumes{}, fmt.Errorf("cannot use -volume-size: %w", err)
	}
	return patch.Volumes{Size: size, Parity: f.parity}, nil
}

func newSplitCommand(a *app) *cobra.Command {
	var f splitFlags
	cmd := &cobra.Command{
		Use:   "split FILE",
		Short: "Split a file into volumes for media",
		Long: "split writes the volumes FILE.001, FILE.002 and so on, of at most -volume-size each, and with\n" +
			"-parity N also FILE.p001 and so on: any N of all volumes may be lost or damaged, and join\n" +
			"restores the file from the others. The file itself stays as it is. Patches that are in\n" +
			"volumes need not be joined: every command reads them where all data volumes are there.",
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error { return a.split(cmd.Context(), args[0], &f) },
	}
	f.define(cmd, "")
	cmd.Flags().StringVar(&f.out, "out", "", "write the volumes into this `DIR` (default the file's)")
	return cmd
}

func (a *app) split(ctx context.Context, name string, f *splitFlags) error {
	if f.volumeSize == "" {
		return &hintError{errors.New("split needs the size of the volumes"), "name it with -volume-size, such as -volume-size 4.7GB"}
	}
	v, err := f.read()
	if err != nil {
		return err
	}
	file, info, err := regular.Open(name)
	if err != nil {
		return fmt.Errorf("cannot split %q: %w", name, bareError(err))
	}
	defer file.Close()
	if f.out == "" {
		f.out = filepath.Dir(name)
	}
	l, err := volume.NewLayout(filepath.Base(name), info.Size(), v.Size, v.Parity)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.out, 0o777); err != nil {
		return fmt.Errorf("cannot make the folder for the volumes: %w", err)
	}
	a.interruptNote = "; no volume was written"
	s, err := volume.Split(ctx, file, l, f.out, volume.Options{})
	if err != nil {
		return err
	}
	if now, err := file.Stat(); err != nil || now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime()) {
		s.Abort()
		return fmt.Errorf("cannot split %q: it has changed meanwhile", name)
	}
	if err := s.Publish(); err != nil {
		return err
	}
	for n, path := range s.Paths() {
		a.ui.printf("%s  %s\n", safe(path), byteSize(l.FileSize(n)))
	}
	return nil
}
