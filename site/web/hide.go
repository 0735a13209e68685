package web

import (
	"regexp"

	"github.com/flotobuild/flotobuild/site"
)

// inStore finds the folder of a store in texts, with what follows it: a slash, or
// what cannot belong to the name of another folder.
func inStore(dir string) *regexp.Regexp {
	return regexp.MustCompile(regexp.QuoteMeta(dir) + `(/|[^\pL\pN_.~-]|$)`)
}

// hide takes the way to the store out of a text: where it lies is no business of
// those who come over the network. What is in it is named from there, as
// docs/site.md does.
func (s *Server) hide(text string) string {
	return s.inStore.ReplaceAllStringFunc(text, func(found string) string {
		after := found[len(s.site.Dir()):]
		if after == "/" {
			return ""
		}
		return "the store" + after
	})
}

// hidden hides the store in events, which commands have written too.
func (s *Server) hidden(events []site.Event) []site.Event {
	for n := range events {
		events[n].Error, events[n].Detail = s.hide(events[n].Error), s.hide(events[n].Detail)
	}
	return events
}
