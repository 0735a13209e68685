package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// maxConfig bounds a device's configuration, in bytes.
const maxConfig = 64 << 20

func newEnvelopeMergeCommand(a *app) *cobra.Command {
	var f openFlags
	var into, out string
	cmd := &cobra.Command{
		Use:   "merge -into=CONFIG FILE...",
		Short: "Put envelopes into a device's configuration",
		Long: "merge puts envelopes and their contexts into an EdgeDevConfig in binary form. An envelope replaces\n" +
			"the one with its UUID, a context the one with its id; every other byte stays as it is. What would\n" +
			"break a limit of devices that the configuration kept before is refused.",
		Args: envelopeFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			if into == "" {
				return &hintError{errors.New("envelope merge needs -into"), "name the device's configuration: -into=config.pb"}
			}
			if out == "" {
				out = into
			}
			return a.mergeEnvelopes(&f, into, out, args)
		},
	}
	cmd.Flags().StringVar(&into, "into", "", "the device's configuration (`CONFIG`)")
	cmd.Flags().StringVar(&out, "out", "", "write to this `FILE` instead of the configuration itself")
	cmd.Flags().StringArrayVar(&f.contexts, "context", nil, "cipher context that the envelopes need (`FILE`); may stand several times")
	return cmd
}

func (a *app) mergeEnvelopes(f *openFlags, into, out string, files []string) error {
	add, err := f.read(files)
	if err != nil {
		return err
	}
	if len(add.GetPatchEnvelopes())+len(add.GetCipherContexts()) == 0 {
		return errors.New("there is nothing to merge: the files hold no envelope")
	}
	old, err := readSmall(into, maxConfig)
	if err != nil {
		return err
	}
	merged, err := envelope.Merge(old, add)
	if err != nil {
		return fmt.Errorf("%s: %w", into, err)
	}
	found, err := newProblems(old, merged)
	if err != nil {
		return fmt.Errorf("%s: %w", into, err)
	}
	if a.problems(found) {
		return &hintError{fmt.Errorf("%s is as it was", into), "flotobuild envelope check lists all problems of a configuration"}
	}
	mode := os.FileMode(0o600)
	if info, err := os.Stat(into); err == nil {
		mode = info.Mode().Perm()
	}
	return atomicfile.WriteFile(out, merged, mode)
}

// newProblems gives the problems that a merge brings.
func newProblems(old, merged []byte) ([]envelope.Problem, error) {
	before := make(map[string]bool)
	if len(old) > 0 {
		c, err := envelope.ReadConfig(old)
		if err != nil {
			return nil, err
		}
		for _, p := range envelope.Check("", c, nil).Problems {
			before[p.Where()+p.Summary] = true
		}
	}
	c, err := envelope.ReadConfig(merged)
	if err != nil {
		return nil, err
	}
	var out []envelope.Problem
	for _, p := range envelope.Check("", c, nil).Problems {
		if !before[p.Where()+p.Summary] {
			out = append(out, p)
		}
	}
	return out, nil
}
