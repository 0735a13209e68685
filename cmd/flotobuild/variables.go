package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
		b, err := os.ReadFile(out[n].File)
		if err != nil {
			return nil, fmt.Errorf("cannot read the file that -var-file names: %w", err)
		}
		out[n].Bytes = b
	}
	return out, nil
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
