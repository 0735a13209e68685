package registry

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// maxPage is how many names one answer has at most.
const maxPage = 1000

// noTime leaves out a time of change: digests tell more.
var noTime time.Time

func (q *query) catalog() {
	c, err := q.fresh(q.r.Context())
	if err != nil {
		q.broken("catalog", err)
		return
	}
	if names, ok := q.page(c.names); ok {
		q.json("application/json", map[string][]string{"repositories": names})
	}
}

func (q *query) tags(t target) {
	r := q.repository(t)
	if r == nil {
		return
	}
	if tags, ok := q.page(slices.Sorted(maps.Keys(r.tags))); ok {
		q.json("application/json", struct {
			Name string   `json:"name"`
			Tags []string `json:"tags"`
		}{t.name, tags})
	}
}

// page gives the part of a sorted list that the parameters n and last ask for,
// and names the next part in a header. It answers itself where n is no number.
func (q *query) page(all []string) ([]string, bool) {
	values := q.r.URL.Query()
	size := maxPage
	if text := values.Get("n"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			q.fail(http.StatusBadRequest, codeUnsupported, fmt.Sprintf("n=%q is not how many names an answer can have", text))
			return nil, false
		}
		size = min(n, maxPage)
	}
	start := 0
	if last := values.Get("last"); last != "" {
		var found bool
		if start, found = slices.BinarySearch(all, last); found {
			start++
		}
	}
	rest := all[start:]
	if len(rest) > size && size > 0 {
		next := url.URL{Path: q.r.URL.Path, RawQuery: url.Values{"n": {strconv.Itoa(size)}, "last": {rest[size-1]}}.Encode()}
		q.w.Header().Set("Link", fmt.Sprintf("<%s>; rel=%q", next.String(), "next"))
	}
	return append([]string{}, rest[:min(size, len(rest))]...), true
}
