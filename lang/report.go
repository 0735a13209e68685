package lang

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
)

// failure makes an error. Summaries have fixed wording; details are sentences
// that say what is wrong, why, and how to mend it.
func failure(rng hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  summary,
		Detail:   fmt.Sprintf(detail, args...),
		Subject:  &rng,
	}
}

// at attaches the expression that the diagnostic is about, so that the values
// of its variables can be shown.
func at(d *hcl.Diagnostic, expr hcl.Expression, ctx *hcl.EvalContext) *hcl.Diagnostic {
	d.Expression, d.EvalContext = expr, ctx
	return d
}

func folderError(summary, detail string) *hcl.Diagnostic {
	return failure(hcl.Range{Filename: "."}, summary, "%s", detail)
}

// fileError says why a file of the project cannot be read; rng is the place
// that names it.
func fileError(name string, err error, rng hcl.Range) *hcl.Diagnostic {
	if errors.Is(err, fs.ErrNotExist) {
		return failure(rng, "File not found", "There is no file %q in the project folder. Correct the path, or add the file.", name)
	}
	return failure(rng, "Cannot read file", "The file %q cannot be read: %s.", name, reason(err))
}

// reason strips the path that an fs error repeats.
func reason(err error) string {
	if escapes(err) {
		return "it is, or stands behind, a symbolic link that is absolute or leaves the project folder; put a copy there instead"
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// place writes a range's beginning as diagnostics do.
func place(r hcl.Range) string {
	if r.Start.Line == 0 {
		return r.Filename
	}
	return fmt.Sprintf("%s:%d,%d", r.Filename, r.Start.Line, r.Start.Column)
}

// didYouMean returns " Did you mean …?" for the known name nearest to the given
// one, or nothing where none is near.
func didYouMean(given string, known []string) string {
	best, name := 1+farthest(len(given)), ""
	known = slices.Clone(known)
	slices.Sort(known)
	for _, k := range known {
		if d := levenshtein.Distance(strings.ToLower(given), strings.ToLower(k), nil); d < best {
			best, name = d, k
		}
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", name)
}

// farthest is the greatest distance at which a name of n letters is taken for a
// misspelling: two of four letters may be swapped.
func farthest(n int) int {
	switch {
	case n < 4:
		return 1
	case n < 9:
		return 2
	}
	return 3
}

// didYouMeanOr gives the suggestion, or else the remedy.
func didYouMeanOr(given string, known []string, remedy string, args ...any) string {
	if s := didYouMean(given, known); s != "" {
		return s
	}
	return " " + fmt.Sprintf(remedy, args...)
}

// sortDiagnostics orders by place and folds repetitions.
func sortDiagnostics(diags hcl.Diagnostics) hcl.Diagnostics {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		return compareRanges(subject(a), subject(b))
	})
	return fold(diags)
}

func subject(d *hcl.Diagnostic) hcl.Range {
	if d.Subject == nil {
		return hcl.Range{}
	}
	return *d.Subject
}

func compareRanges(a, b hcl.Range) int {
	return cmp.Or(
		cmp.Compare(a.Filename, b.Filename),
		cmp.Compare(a.Start.Line, b.Start.Line),
		cmp.Compare(a.Start.Column, b.Start.Column),
	)
}

func compareStrings(a, b string) int { return cmp.Compare(a, b) }

// sortImages orders images by name.
func sortImages(out []*Image) {
	slices.SortFunc(out, func(a, b *Image) int { return cmp.Compare(a.Name, b.Name) })
}
