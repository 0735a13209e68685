package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/term"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// A ui is the only printer of the program: results on stdout, everything else
// on stderr.
type ui struct {
	in       *os.File
	out, err *os.File
	// colorOut and colorErr allow escape sequences on the two.
	colorOut, colorErr bool
	// logging says that stderr carries a log for programs only.
	logging atomic.Bool
	// lost is why a result could not be written to stdout: the first reason.
	lost error
}

func newUI(in, out, err *os.File, getenv func(string) string) *ui {
	allowed := getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	return &ui{
		in: in, out: out, err: err,
		colorOut: allowed && isTerminal(out),
		colorErr: allowed && isTerminal(err),
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

func (u *ui) noColor() { u.colorOut, u.colorErr = false, false }

// printf writes a result to stdout. A result that is cut short there makes the
// program fail at its end; what stands on stderr does not count.
func (u *ui) printf(format string, args ...any) {
	_, err := fmt.Fprintf(u.out, format, args...)
	if err != nil && u.lost == nil && u.out != u.err {
		u.lost = fmt.Errorf("cannot write the output: %w", bare(err))
	}
}

// printJSON writes machine output to stdout.
func (u *ui) printJSON(b []byte) { u.printf("%s\n", strings.TrimSuffix(string(b), "\n")) }

// notef writes a line for people to stderr.
func (u *ui) notef(format string, args ...any) { fmt.Fprintf(u.err, format+"\n", args...) }

func (u *ui) errorf(format string, args ...any) {
	u.labelled(red, "error", fmt.Sprintf(format, args...))
}

func (u *ui) warnf(format string, args ...any) {
	u.labelled(yellow, "warning", fmt.Sprintf(format, args...))
}

func (u *ui) hintf(format string, args ...any) {
	u.labelled(bold, "hint", fmt.Sprintf(format, args...))
}

func (u *ui) labelled(s style, label, text string) {
	fmt.Fprintf(u.err, "flotobuild: %s %s\n", paint(u.colorErr, s, label+":"), safe(text))
}

// A hintError is an error with a way to mend it.
type hintError struct {
	err  error
	hint string
}

// Error gives the error without the hint.
func (e *hintError) Error() string { return e.err.Error() }

// Unwrap returns the error.
func (e *hintError) Unwrap() error { return e.err }

// Hint gives the way to mend the error, for the page of a site.
func (e *hintError) Hint() string { return e.hint }

// fail prints an error, and its hint where it has one.
func (u *ui) fail(err error) {
	u.errorf("%v", err)
	if hint := hintOf(err); hint != "" {
		u.hintf("%s", hint)
	}
}

// hintOf gives the hint of an error; empty where it has none.
func hintOf(err error) string {
	var h *hintError
	switch {
	case errors.As(err, &h):
		return h.hint
	case errors.As(err, new(*volume.SeveralError)):
		return "name one volume of the file that is meant: the others of that file are found beside it"
	}
	return ""
}

// diagnostics prints configuration problems: for people on stderr, as JSON on
// stdout.
func (u *ui) diagnostics(diags hcl.Diagnostics, files map[string]*hcl.File, asJSON bool) error {
	if asJSON {
		b, err := lang.DiagnosticsJSON(diags, files)
		if err != nil {
			return fmt.Errorf("cannot print diagnostics: %w", err)
		}
		u.printJSON(b)
		return nil
	}
	if len(diags) == 0 {
		return nil
	}
	return lang.WriteDiagnostics(u.err, diags, files, lang.DiagnosticsOptions{Color: u.colorErr, Width: width(u.err), Most: mostDiagnostics})
}

// mostDiagnostics is how many problems are printed for people. Beyond, the first
// ones scroll away.
const mostDiagnostics = 50

// width gives the cells that text is wrapped at, with a bound for reading. Where
// there is no terminal it is 0: logs are searched by line.
func width(f *os.File) int {
	const most = 100
	return min(terminalWidth(f), most)
}

// terminalWidth gives the cells of a terminal's line, 0 where there is none.
func terminalWidth(f *os.File) int {
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		return w
	}
	return 0
}

// A style is an ANSI escape sequence.
type style string

const (
	bold   style = "\x1b[1m"
	red    style = "\x1b[31m"
	green  style = "\x1b[32m"
	yellow style = "\x1b[33m"
	grey   style = "\x1b[90m"
)

func paint(color bool, s style, text string) string {
	if !color {
		return text
	}
	return string(s) + text + "\x1b[0m"
}

// safe replaces control characters other than line ends and tabs, and those that
// change the direction of text: names come from files of unknown makers, and
// must not steer the terminal or look like others.
func safe(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '\ufffd'
		}
		return r
	}, text)
}

// promptf writes a question to stderr, with the answer to come on its line.
func (u *ui) promptf(format string, args ...any) { fmt.Fprintf(u.err, format, args...) }

// interruptedf writes a line about an interrupt, unless stderr is a log.
func (u *ui) interruptedf(format string, args ...any) {
	if !u.logging.Load() {
		u.notef(format, args...)
	}
}
