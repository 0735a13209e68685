package planner

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/lang"
)

// A ParentError says why a site's parent cannot be used, and how to mend it.
type ParentError struct {
	Site string
	Err  error
}

// Error names the site.
func (e *ParentError) Error() string {
	return fmt.Sprintf("cannot find the parent of site %q: %v", e.Site, e.Err)
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

// Diagnostics points to the parent attributes of the sites.
func (e ParentErrors) Diagnostics(cfg *lang.Config) hcl.Diagnostics {
	at := make(map[string]hcl.Range)
	for _, s := range cfg.Sites {
		at[s.Name] = orRange(s.Patch.ParentRange, orRange(s.Patch.Range, s.Range))
	}
	var diags hcl.Diagnostics
	for _, p := range e {
		diags = append(diags, problem(at[p.Site], "Unusable parent", sentence(p)))
	}
	return diags
}
