package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/planner"
)

// selectionFlags are -target and -exclude.
type selectionFlags struct{ planner.Selection }

func (s *selectionFlags) define(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&s.Targets, "target", nil, "plan the sites at `ADDRESS` only, or those that carry the image at it; may stand several times")
	cmd.Flags().StringArrayVar(&s.Excludes, "exclude", nil, "leave out the sites at `ADDRESS`, or those that carry the image at it; may stand several times")
}

// choose limits the project to the selected sites.
func (p *project) choose(s planner.Selection) error {
	cfg, err := planner.Select(p.config, s)
	var wrong *planner.SelectionError
	if errors.As(err, &wrong) {
		return &hintError{err, wrong.Hint}
	}
	if err != nil {
		return err
	}
	p.config, p.selection = cfg, s
	return nil
}
