package planner

import (
	"errors"
	"fmt"
	"io/fs"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

func problem(subject hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &subject}
}

// orRange returns the first range that is set.
func orRange(r, fallback hcl.Range) hcl.Range {
	if r.Filename == "" {
		return fallback
	}
	return r
}

// sentence turns an error into a sentence.
func sentence(err error) string { return capitalize(err.Error()) + "." }

func capitalize(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// fileProblem describes a file or folder that cannot be read; what says which
// one, "build context".
func fileProblem(subject hcl.Range, what, name string, err error) *hcl.Diagnostic {
	var source *SourceError
	if errors.As(err, &source) {
		return sourceProblem(what, source)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return problem(subject, "Missing "+what,
			fmt.Sprintf("%q does not exist. Create it or correct the path; paths are relative to the file that names them.", name))
	}
	return problem(subject, "Cannot read "+what, sentence(err))
}

// sourceProblem points into the file that has the error.
func sourceProblem(what string, e *SourceError) *hcl.Diagnostic {
	line := max(e.Line, 1)
	subject := hcl.Range{
		Filename: e.File,
		Start:    hcl.Pos{Line: line, Column: 1},
		End:      hcl.Pos{Line: line, Column: 1},
	}
	return problem(subject, "Invalid "+what, sentence(e.Err))
}

func referenceProblem(subject hcl.Range, ref string, err error) *hcl.Diagnostic {
	return problem(subject, "Cannot resolve image reference", fmt.Sprintf(
		"%q cannot be resolved to a digest: %v. Correct the reference, see that its registry can be reached, or name a digest.", ref, err))
}
