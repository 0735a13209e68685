package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/lang"
)

// variableFlags are -var and -var-file, in the order of the command line.
type variableFlags struct{ options []lang.VarOption }

func (v *variableFlags) define(cmd *cobra.Command) {
	cmd.Flags().Var(&variableFlag{v, false}, "var", "set a variable: `NAME=VALUE`; may stand several times")
	cmd.Flags().Var(&variableFlag{v, true}, "var-file", "read variables from `FILE`; may stand several times")
}

// read reads the files that -var-file names.
func (v *variableFlags) read() ([]lang.VarOption, error) {
	out := slices.Clone(v.options)
	for n := range out {
		if out[n].File == "" {
			continue
		}
		b, err := readVariables(out[n].File)
		if err != nil {
			return nil, err
		}
		out[n].File, out[n].Bytes = projectName(out[n].File), b
	}
	return out, nil
}

// projectName names a file below the current folder, which is the project's,
// as the project names it, so that it can be kept out of patches.
func projectName(name string) string {
	dir, err := os.Getwd()
	if err != nil || !filepath.IsAbs(name) {
		return filepath.ToSlash(filepath.Clean(name))
	}
	if rel, err := filepath.Rel(dir, name); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return name
}

// readVariables reads no more of a file than lang needs to refuse it as too
// large.
func readVariables(name string) ([]byte, error) {
	f, _, err := regular.Open(name)
	if errors.Is(err, regular.ErrNot) {
		return nil, fmt.Errorf("cannot read the file %q that -var-file names: %w; name a file that exists on the disk", name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the file that -var-file names: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, lang.MaxSourceSize+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the file that -var-file names: %w", err)
	}
	return b, nil
}

type variableFlag struct {
	to   *variableFlags
	file bool
}

var _ pflag.Value = (*variableFlag)(nil)

// Set implements pflag.Value.
func (f *variableFlag) Set(s string) error {
	switch {
	case f.file && s == "":
		return errors.New("it names no file")
	case f.file:
		f.to.options = append(f.to.options, lang.VarOption{File: s})
	default:
		f.to.options = append(f.to.options, lang.VarOption{Assignment: s})
	}
	return nil
}

// String implements pflag.Value.
func (f *variableFlag) String() string { return "" }

// Type implements pflag.Value.
func (f *variableFlag) Type() string { return "string" }
