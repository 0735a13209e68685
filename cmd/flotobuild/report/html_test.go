package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestPageReferences: a page names nothing to load but the empty icon.
func TestPageReferences(t *testing.T) {
	loads := regexp.MustCompile(`(?i)\s(?:src|href|srcset|data|action|poster|background)\s*=\s*["']?[^"' >]*|url\([^)]*\)|@import`)
	for _, s := range situations {
		if s.name == "hostile_names" {
			continue // has such text; a browser looks at it
		}
		page := pageOf(t, s)
		for _, m := range loads.FindAllString(page, -1) {
			if m != ` href="data:,` && m != "url(#stripes)" {
				t.Errorf("%s: the page refers to %q", s.name, m)
			}
		}
		if strings.Contains(page, "<script") {
			t.Errorf("%s: the page has a script", s.name)
		}
	}
}

func pageOf(t *testing.T, s situation) string {
	t.Helper()
	page, err := New(s.plan(), Options{Variables: s.vars}).HTML()
	if err != nil {
		t.Fatal(err)
	}
	if !LooksLikePage(page) {
		t.Errorf("%s: the page is not known again", s.name)
	}
	return string(page)
}

// TestPageIsWellFormed: all elements are closed, in order.
func TestPageIsWellFormed(t *testing.T) {
	for _, s := range situations {
		d := xml.NewDecoder(strings.NewReader(styles.ReplaceAllString(pageOf(t, s), "")))
		d.Strict = false
		d.AutoClose, d.Entity = []string{"meta", "link", "br"}, xml.HTMLEntity
		open := 0
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", s.name, err)
				break
			}
			switch token.(type) {
			case xml.StartElement:
				open++
			case xml.EndElement:
				open--
			}
		}
		if open != 0 {
			t.Errorf("%s: %d elements are not closed", s.name, open)
		}
	}
}

func TestEqualPlansEqualPages(t *testing.T) {
	for _, s := range situations {
		if first, second := pageOf(t, s), pageOf(t, s); first != second {
			t.Errorf("%s: two pages differ", s.name)
		}
	}
}

// large is a plan for many sites, each with changes of its own.
func large(sites, images int) situation {
	return situation{before: func(w *world) {
		fleet(sites)(w)
		for n := range images {
			name := fmt.Sprintf("image%03d", n)
			w.images = append(w.images, &worldImage{name: name, kind: "build", inputs: map[string]string{"dockerfile": "1"}, layers: layers(n*1000, name)})
			for _, s := range w.sites {
				s.images = append(s.images, name)
			}
		}
	}, change: func(w *world) {
		for n := range images {
			w.set(fmt.Sprintf("image%03d", n), "dockerfile", "2")
		}
		for n, s := range w.sites {
			for i := range 20 {
				s.conf[fmt.Sprintf("config/%d/%d-%s.yaml", n, i, strings.Repeat("long", 200))] = "x"
			}
		}
	}}
}

// TestLargePage: 1,000 sites that are all different, with 100 changed images each.
func TestLargePage(t *testing.T) {
	p := large(1000, 100).plan()
	start := time.Now()
	r := New(p, Options{})
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	const most = 5 << 20
	if len(page) > most {
		t.Errorf("the page has %d bytes, more than %d", len(page), most)
	}
	if took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	t.Logf("%d bytes in %v", len(page), took)
	for _, want := range []string{"site00", "site999", "without details here"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page has no %q", want)
		}
	}
}
