package lang

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// DiagnosticsOptions say how WriteDiagnostics lays text out.
type DiagnosticsOptions struct {
	Color bool // use ANSI escapes
	Width int  // terminal cells to wrap at; 0 means no wrapping
	Most  int  // diagnostics to print, errors first; 0 means all
}

// WriteDiagnostics prints diagnostics for people: each begins with its place, as
// file:line,column, and the summary; then come the source line with the place
// underlined, the values of the variables in the expression, and the detail.
// What is wrong in many instances of a block is printed once. files are the
// sources, as in Config.Files. Nothing sensitive is printed.
func WriteDiagnostics(w io.Writer, diags hcl.Diagnostics, files map[string]*hcl.File, opts DiagnosticsOptions) error {
	mask := newLineMask(files, diags)
	var b strings.Builder
	diags, left := most(fold(diags), opts.Most)
	for i, d := range diags {
		if i > 0 {
			b.WriteString("\n")
		}
		dw := diagnosticWriter{Builder: &b, opts: opts}
		dw.title(d)
		dw.source(sourceLine(files, mask, d.Subject))
		for _, n := range valueNotes(d) {
			fmt.Fprintf(&b, "    %s is %s\n", n.Name, clean(n.Value))
		}
		dw.detail(detailOf(d))
	}
	if left != "" {
		fmt.Fprintf(&b, "\n… and %s. The JSON form has all of them.\n", left)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// most leaves at most n diagnostics, errors rather than warnings, and counts the
// others.
func most(diags hcl.Diagnostics, n int) (hcl.Diagnostics, string) {
	if n <= 0 || len(diags) <= n {
		return diags, ""
	}
	errors := 0
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			errors++
		}
	}
	room := map[hcl.DiagnosticSeverity]int{hcl.DiagError: min(errors, n)}
	room[hcl.DiagWarning] = n - room[hcl.DiagError]
	var out hcl.Diagnostics
	for _, d := range diags {
		if room[d.Severity]--; room[d.Severity] >= 0 {
			out = append(out, d)
		}
	}
	var left []string
	if e := errors - min(errors, n); e > 0 {
		left = append(left, count(e, "further error"))
	}
	if w := len(diags) - errors - (n - min(errors, n)); w > 0 {
		left = append(left, count(w, "further warning"))
	}
	return out, strings.Join(left, " and ")
}

type diagnosticWriter struct {
	*strings.Builder
	opts DiagnosticsOptions
}

const (
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

func (w diagnosticWriter) paint(color, text string) string {
	if !w.opts.Color || text == "" {
		return text
	}
	return color + text + plain
}

func severityColor(s hcl.DiagnosticSeverity) string {
	if s == hcl.DiagWarning {
		return yellow
	}
	return red
}

func (w diagnosticWriter) title(d *hcl.Diagnostic) {
	if d.Subject != nil && d.Subject.Filename != "" {
		fmt.Fprintf(w, "%s: ", clean(place(*d.Subject)))
	}
	summary := clean(d.Summary)
	if d.Severity == hcl.DiagWarning {
		summary = "warning: " + summary
	}
	fmt.Fprintf(w, "%s\n", w.paint(bold+severityColor(d.Severity), summary))
}

// source prints the line and marks the place below it, so that the mark
// survives where colours do not.
func (w diagnosticWriter) source(s *snippet) {
	const unwrapped = 160
	if s == nil {
		return
	}
	gutter := fmt.Sprintf("%4d | ", s.line)
	if s.masked {
		fmt.Fprintf(w, "%s%s\n", gutter, maskedLine)
		return
	}
	s.fit(max(cmp.Or(w.opts.Width, unwrapped)-len(gutter), 30))
	fmt.Fprintf(w, "%s%s%s%s\n", gutter, s.before, w.paint(bold, s.marked), s.after)
	mark := strings.Repeat("^", max(columns(s.marked), 1))
	fmt.Fprintf(w, "     | %s%s\n", strings.Repeat(" ", columns(s.before)), w.paint(red, mark))
}

func (w diagnosticWriter) detail(text string) {
	const indent = "  "
	if text == "" {
		return
	}
	for _, line := range strings.Split(text, "\n") {
		for _, l := range wrap(clean(line), w.opts.Width-len(indent)) {
			fmt.Fprintf(w, "%s\n", strings.TrimRight(indent+l, " "))
		}
	}
}

// wrap breaks a line between words; words longer than the width stay whole, and
// so do lines that are indented.
func wrap(line string, cells int) []string {
	if cells <= 0 || columns(line) <= cells || strings.HasPrefix(line, " ") {
		return []string{line}
	}
	var out []string
	current := ""
	for _, word := range strings.Fields(line) {
		switch {
		case current == "":
			current = word
		case columns(current)+1+columns(word) > cells:
			out = append(out, current)
			current = word
		default:
			current += " " + word
		}
	}
	return append(out, current)
}
