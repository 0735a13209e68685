package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

func defineParents(cmd *cobra.Command, values *[]string) {
	cmd.Flags().StringArrayVar(values, "parent", nil,
		"make patches against this parent instead of the configured ones: `[SITE=]VALUE`; VALUE is written as for the attribute parent, and several for one site are all parents of its patch")
}

// siteName is what a word before an equals sign must look like to be one: a
// constraint such as ">=2.1" has none.
var siteName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// overrideParents puts the parents of the command line in place of the
// configured ones. Those for one site count more than those for all.
func (a *app) overrideParents(p *project, values []string, asJSON bool) error {
	p.parentArgs = values
	all, bySite := []lang.Parent(nil), make(map[string][]lang.Parent)
	var diags hcl.Diagnostics
	for _, v := range values {
		site, text, ok := strings.Cut(v, "=")
		if !ok || !siteName.MatchString(site) {
			site, text = "", v
		}
		if err := checkSite(p, site); err != nil {
			return err
		}
		parent, d := lang.CommandParent(text)
		switch {
		case d != nil:
			diags = append(diags, d)
		case site == "":
			all = append(all, parent)
		default:
			bySite[site] = append(bySite[site], parent)
		}
	}
	if err := a.report(diags, p.config, asJSON); err != nil {
		return err
	}
	for _, s := range p.config.Sites {
		parents := bySite[s.Name]
		if parents == nil {
			parents = all
		}
		if err := setParents(s, parents); err != nil {
			return err
		}
	}
	return nil
}

func setParents(s *lang.Site, parents []lang.Parent) error {
	if len(parents) == 0 {
		return nil
	}
	none := func(p lang.Parent) bool { return p.Kind == lang.ParentNone }
	if len(parents) > 1 && slices.ContainsFunc(parents, none) {
		return &hintError{
			fmt.Errorf("-parent gives site %q both \"none\" and a parent", s.Name),
			"a patch without a parent applies everywhere: leave one of them out",
		}
	}
	s.Patch.Parent, s.Patch.AlsoFrom = parents[0], parents[1:]
	return nil
}

// rules prints what is wrong with a plan besides its inputs: policies that it
// violates, and parents that are too new, named twice or of another project.
func (a *app) rules(p *project, plan *planner.Plan, asJSON bool) error {
	diags := slices.Clone(p.violations)
	for _, f := range p.parents {
		for _, double := range f.Doubles {
			at := double.Range
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagWarning, Subject: &at, Summary: "Parent named twice",
				Detail: fmt.Sprintf("For site %q, %q stands for the patch %q, which is a parent already. It counts once.", f.Site, double.Text, f.Description.ID),
			})
		}
	}
	diags = append(diags, planner.CheckProjects(plan, p.descriptions()).Warnings(p.config, "Patch of another project")...)
	epoch, err := sourceDateEpoch(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	if epoch != nil {
		diags = append(diags, planner.CheckDates(plan, p.descriptions(), *epoch).Diagnostics(p.config)...)
	}
	if asJSON && !diags.HasErrors() {
		return a.ui.diagnostics(diags, p.config.Files, false)
	}
	return a.report(diags, p.config, asJSON)
}

// oversize points to the policies that patches turned out to violate.
func (a *app) oversize(p *project, err error) error {
	var e *executor.SizeError
	if !errors.As(err, &e) {
		return err
	}
	var diags hcl.Diagnostics
	for _, o := range e.Patches {
		diags = append(diags, planner.SizeViolation(p.config, o.Site, o.Size, o.Most))
	}
	return a.report(diags, p.config, false)
}
