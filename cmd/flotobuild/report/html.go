package report

import (
	"bytes"
	_ "embed" // the page's template
	"fmt"
	"html/template"

	"github.com/flotobuild/flotobuild/planner"
)

// pageHead begins every page, and tells it from other files.
const pageHead = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"generator\" content=\"flotobuild plan\">\n"

// LooksLikePage says whether the first bytes of a file are those of a page.
func LooksLikePage(head []byte) bool { return bytes.HasPrefix(head, []byte(pageHead)) }

// What a page lists at most, so that it stays readable, and below some
// megabytes, whatever the plan: rows altogether, rows of one list, sites, and
// cells of a name and of what a policy says.
const (
	pageRows  = 5000
	listRows  = 200
	pageSites = 1000
	pageCells = 200
	longCells = 2000
)

//go:embed page.html
var pageText string

var pageFuncs = template.FuncMap{
	"bytes":   Bytes,
	"count":   Count,
	"plain":   func(s string) string { return middle(plain(s), pageCells) },
	"long":    func(s string) string { return middle(plain(s), longCells) },
	"mark":    func(change string) string { return mark(change).text },
	"class":   class,
	"who":     func(s *Site) string { return middle(s.who(Normal), pageCells) },
	"names":   func(s *Site) string { return s.names(Normal) },
	"told":    (*Image).told,
	"bind":    func(p *page, s *Site) boundSite { return boundSite{p, s} },
	"sealed":  func(p *page, e *Envelope) boundEnvelope { return boundEnvelope{p, e} },
	"files":   func(title, counts string, list part[File]) fileList { return fileList{title, counts, list} },
	"percent": func(f float64) string { return fmt.Sprintf("%.2f%%", f) },
}

// class is the CSS class of a change.
func class(change string) string {
	switch change {
	case planner.ChangeCreate, planner.ChangeUpdate, planner.ChangeRemove:
		return change
	}
	return "same"
}

// A page is what the template lays out.
type page struct {
	*Report
	budget *budget
	Chart  *chart
	Open   bool // the sites' details

	detailed int // sites with details
}

// HTML writes a report as one page that needs nothing else: no script, no other
// file, no network. Equal reports give equal bytes. Of long lists it has the
// beginning, and says how much is left out.
func (r *Report) HTML() ([]byte, error) {
	t, err := template.New("page").Funcs(pageFuncs).Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("cannot read the page's template: %w", err)
	}
	p := &page{Report: r, budget: &budget{rows: pageRows}, Chart: chartOf(r), Open: len(r.Sites) <= 3}
	var b bytes.Buffer
	b.WriteString(pageHead)
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("cannot lay out the page: %w", err)
	}
	return b.Bytes(), nil
}

// What parts of the template get.
type (
	boundSite struct {
		Page *page
		Site *Site
	}
	boundEnvelope struct {
		Page     *page
		Envelope *Envelope
	}
	fileList struct {
		Title, Counts string
		List          part[File]
	}
)

// A budget is how many rows may still be listed.
type budget struct{ rows int }

// A part is the beginning of a list.
type part[T any] struct {
	Rows []T
	More int // that are left out
}

func take[T any](b *budget, list []T) part[T] {
	n := min(len(list), listRows, b.rows)
	b.rows -= n
	return part[T]{list[:n], len(list) - n}
}

// The lists of the page.

// Overview is the first of all sites; it is bounded by itself.
func (p *page) Overview() part[*Site] {
	n := min(len(p.Sites), pageSites)
	return part[*Site]{p.Sites[:n], len(p.Sites) - n}
}

// Detailed says whether there is room for the details of a site, and whether it
// has any.
func (p *page) Detailed(s *Site) bool {
	if s.Change == planner.ChangeNone || p.budget.rows <= 0 {
		return false
	}
	p.detailed++
	return true
}

// Changed counts the sites with a patch, joined ones once.
func (p *page) Changed() int {
	n := 0
	for _, s := range p.Sites {
		if s.Change != planner.ChangeNone {
			n++
		}
	}
	return n
}

// Undetailed counts those that have no details on the page.
func (p *page) Undetailed() int { return p.Changed() - p.detailed }

// Violations are the violated rules.
func (p *page) Violations() part[string] {
	var out []string
	for _, s := range p.Sites {
		for _, o := range s.Policy {
			if o.Outcome == planner.PolicyViolated {
				out = append(out, s.who(Normal)+": "+o.Rule+". "+o.Detail)
			}
		}
	}
	return take(p.budget, out)
}

func (p *page) Images(s *Site) part[*Image]         { return take(p.budget, s.Images) }
func (p *page) Why(list []string) part[string]      { return take(p.budget, list) }
func (p *page) Layers(l []Layer) part[Layer]        { return take(p.budget, l) }
func (p *page) Files(f Files) part[File]            { return take(p.budget, f.List) }
func (p *page) Members(s *Site) part[Member]        { return take(p.budget, s.Members) }
func (p *page) Made() part[Made]                    { return take(p.budget, p.Report.Images) }
func (p *page) Entries(l []Entry) part[Entry]       { return take(p.budget, l) }
func (p *page) Lines(l []string) part[string]       { return take(p.budget, l) }
func (p *page) Sealed() part[*Envelope]             { return take(p.budget, p.Envelopes) }
func (p *page) Blobs(l []Blob) part[Blob]           { return take(p.budget, l) }
func (p *page) Devices(l []Receiver) part[Receiver] { return take(p.budget, l) }
func (p *page) Variable() part[Variable]            { return take(p.budget, p.Variables) }
func (p *page) Diverge() part[Diverging]            { return take(p.budget, p.Diverging) }
