package lsp

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// A document is a file that the editor has open. Its text is what counts.
type document struct {
	uri     string // as the editor writes it
	name    string // relative to the project folder; empty outside of it
	version int
	text    []byte // never changed, only replaced
}

// documents are those that are open.
type documents struct {
	mu    sync.Mutex
	byURI map[string]document
}

func (d *documents) get(uri string) (document, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	doc, ok := d.byURI[uri]
	return doc, ok
}

func (d *documents) put(doc document) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byURI == nil {
		d.byURI = make(map[string]document)
	}
	d.byURI[doc.uri] = doc
}

func (d *documents) remove(uri string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.byURI, uri)
}

// all lists the open documents, sorted by name.
func (d *documents) all() []document {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.SortedFunc(maps.Values(d.byURI), func(a, b document) int {
		return strings.Compare(a.name+a.uri, b.name+b.uri)
	})
}

// texts gives the open documents of the project by name.
func (d *documents) texts() map[string][]byte {
	out := make(map[string][]byte)
	for _, doc := range d.all() {
		if doc.name != "" {
			out[doc.name] = doc.text
		}
	}
	return out
}

// apply carries out changes, each on what the one before has left.
func apply(text []byte, changes []change, enc encoding) []byte {
	for _, c := range changes {
		if c.Range == nil {
			text = []byte(c.Text)
			continue
		}
		l := newLineIndex(text, enc)
		start, end := l.offset(c.Range.Start), l.offset(c.Range.End)
		if end < start {
			start, end = end, start
		}
		text = slices.Concat(text[:start], []byte(c.Text), text[end:])
	}
	return text
}
