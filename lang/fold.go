package lang

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// An origin says what a diagnostic is about, where its place does not: a place
// in a block with for_each or in a module stands for every instance.
type origin struct {
	address string   // of the instance
	further []string // instances in which the same is wrong
	extra   any      // what stood in the diagnostic before
}

// UnwrapDiagnosticExtra implements hcl.DiagnosticExtraUnwrapper.
func (o *origin) UnwrapDiagnosticExtra() any { return o.extra }

// Of notes the address of what a diagnostic is about, such as
// image_set.plant.image.line["press"]. An address that stands there already is
// kept. Diagnostics of several addresses that say the same at the same place are
// printed as one.
func Of(d *hcl.Diagnostic, address string) {
	if originOf(d) == nil {
		d.Extra = &origin{address: address, extra: d.Extra}
	}
}

func originOf(d *hcl.Diagnostic) *origin {
	o, _ := hcl.DiagnosticExtra[*origin](d)
	return o
}

// faultKey is what diagnostics that are folded have in common. One address may
// have several; nth tells them apart.
type faultKey struct {
	severity hcl.DiagnosticSeverity
	summary  string
	at       hcl.Range
	shape    string // of the detail: without what stands in quotes
	nth      int
}

// quoted finds what details of instances differ in: names and values.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// fold leaves the first of the diagnostics that say the same at the same place of
// several instances, but for what stands in quotes, and notes the others in it. What repeats
// word for word is left out. Folding again changes nothing.
func fold(diags hcl.Diagnostics) hcl.Diagnostics {
	type repeat struct {
		faultKey
		detail, address string
	}
	var out hcl.Diagnostics
	first := make(map[faultKey]*hcl.Diagnostic)
	told := make(map[repeat]bool)
	count := make(map[repeat]int) // of an address at a place
	for _, d := range diags {
		key := faultKey{severity: d.Severity, summary: d.Summary, at: subject(d), shape: quoted.ReplaceAllString(d.Detail, `""`)}
		o := originOf(d)
		r := repeat{faultKey: key, detail: d.Detail}
		if o != nil {
			r.address = o.address
		}
		if told[r] {
			continue
		}
		told[r] = true
		if o == nil {
			out = append(out, d)
			continue
		}
		place := repeat{faultKey: key, address: o.address}
		key.nth = count[place]
		count[place]++
		if rep := first[key]; rep != nil {
			r := originOf(rep)
			r.further = append(append(r.further, o.address), o.further...)
			continue
		}
		first[key] = d
		out = append(out, d)
	}
	return out
}

// mostNamed is how many further instances a message names.
const mostNamed = 3

// detailOf is a diagnostic's detail, and what else it holds for.
func detailOf(d *hcl.Diagnostic) string {
	o := originOf(d)
	if o == nil || len(o.further) == 0 {
		return d.Detail
	}
	names := slices.Clone(o.further[:min(len(o.further), mostNamed)])
	if rest := len(o.further) - len(names); rest > 0 {
		names = append(names, fmt.Sprintf("… (%d more)", rest))
	}
	return strings.TrimLeft(fmt.Sprintf("%s\nIt is so in %s, and in %s: %s.", d.Detail, o.address, count(len(o.further), "further instance"), strings.Join(names, ", ")), "\n")
}
