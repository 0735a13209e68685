package planner

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
)

// A ParentError says why a site's parent cannot be used, and how to mend it.
type ParentError struct {
	Site string
	// Range is the place of the parent in the configuration; zero where the
	// error is about the site's parents as such.
	Range hcl.Range
	Err   error
}

// Error names the site.
func (e *ParentError) Error() string {
	return fmt.Sprintf("cannot use the parent of site %q: %v", e.Site, e.Err)
}

// Unwrap returns the cause.
func (e *ParentError) Unwrap() error { return e.Err }

// ParentErrors are the problems of several sites.
type ParentErrors []*ParentError

// Error returns a line for each problem.
func (e ParentErrors) Error() string { return errors.Join(e.Unwrap()...).Error() }

// Unwrap returns the problems one by one.
func (e ParentErrors) Unwrap() []error {
	var out []error
	for _, p := range e {
		out = append(out, p)
	}
	return out
}

// Diagnostics points to the places where the configuration names the parents.
func (e ParentErrors) Diagnostics(cfg *lang.Config) hcl.Diagnostics {
	at := make(map[string]hcl.Range)
	for _, s := range cfg.Sites {
		at[s.Name] = orRange(s.Patch.Parent.Range, orRange(s.Patch.Range, s.Range))
	}
	var diags hcl.Diagnostics
	for _, p := range e {
		diags = append(diags, problem(orRange(p.Range, at[p.Site]), "Unusable parent", sentence(p)))
	}
	return diags
}

// CheckDates finds parents of patches to come that are not older than epoch, the
// date which those would have: the parent would stay the newest patch for ever. A
// site of which only images are made anew may turn out to need no patch; its
// parents are left to the build.
func CheckDates(p *Plan, parents []*patch.Description, epoch time.Time) ParentErrors {
	var out ParentErrors
	of := bySite(parents)
	for _, s := range p.Sites {
		own := of[s.Name]
		if s.Change == ChangeNone || len(own) > 0 && !Changed(s, own, own[0].ImageMap) {
			continue
		}
		for _, d := range own {
			if epoch.After(d.CreationDate.Time) {
				continue
			}
			out = append(out, &ParentError{Site: s.Name, Err: fmt.Errorf("SOURCE_DATE_EPOCH is %s, and %q is not older; set it to a later time",
				epoch.UTC().Format(time.RFC3339), d.ID)})
		}
	}
	return out
}

// CheckProjects finds parents that another project seems to have made, of a site
// of the same name: they have another name, another root definition, and no
// image of the site. A patch on top of one would remove all that the site has.
// It is no more than a guess, as a project may be renamed, and so a warning.
func CheckProjects(p *Plan, parents []*patch.Description) ParentErrors {
	var out ParentErrors
	of := bySite(parents)
	for _, s := range p.Sites {
		for _, d := range of[s.Name] {
			if d.Name == s.Patch.Name || d.RootDefinitionFile == s.RootDefinitionFile || len(d.Flotobuild.Images) == 0 || len(s.Images) == 0 || sharesImage(s.Site, d) {
				continue
			}
			out = append(out, &ParentError{Site: s.Name, Err: fmt.Errorf(
				"%q seems to be of another project: it has the name %q and the root definition %q, and this project's patches have %q and %q; no image is in both. Give the site another name or output in one of the two, or name the parent with parent",
				d.ID, d.Name, d.RootDefinitionFile, s.Patch.Name, s.RootDefinitionFile)})
		}
	}
	return out
}

// sharesImage says whether a site has an image with the name or the address of
// one in the patch.
func sharesImage(s Site, d *patch.Description) bool {
	return slices.ContainsFunc(s.Images, func(want SiteImage) bool {
		return slices.ContainsFunc(d.Flotobuild.Images, func(i patch.Image) bool { return i.Name == want.Name || i.Address == want.Address })
	})
}

// Warnings are the diagnostics of problems that do not stop a plan.
func (e ParentErrors) Warnings(cfg *lang.Config, summary string) hcl.Diagnostics {
	diags := e.Diagnostics(cfg)
	for _, d := range diags {
		d.Severity, d.Summary = hcl.DiagWarning, summary
	}
	return diags
}
