package project

import (
	"cmp"
	"container/heap"
	"slices"
	"sort"
)

// shifts say how far bytes of the old file have moved. Where several parts
// are like the same old bytes, the longest is taken to be what became of them.
type shifts struct {
	from []int64 // offsets in the old file, ascending
	by   []int64 // the shift from there on
	last int
}

func newShifts(parts []Part) *shifts {
	sorted := slices.Clone(parts)
	// Of parts that begin at the same old byte, no two begin at the same new one.
	slices.SortFunc(sorted, func(a, b Part) int {
		if c := cmp.Compare(a.Old, b.Old); c != 0 {
			return c
		}
		return cmp.Compare(a.New, b.New)
	})
	s := &shifts{}
	var open longest
	for i := 0; i < len(sorted) || len(open) > 0; {
		at := int64(1 << 62)
		if i < len(sorted) {
			at = sorted[i].Old
		}
		// What ends before gives way to the longest that does not.
		for len(open) > 0 && open[0].Old+open[0].Length <= at {
			end := open[0].Old + open[0].Length
			for len(open) > 0 && open[0].Old+open[0].Length <= end {
				heap.Pop(&open)
			}
			if len(open) > 0 {
				s.add(end, open[0])
			}
		}
		for ; i < len(sorted) && sorted[i].Old == at; i++ {
			heap.Push(&open, sorted[i])
		}
		if len(open) > 0 {
			s.add(at, open[0])
		}
	}
	return s
}

func (s *shifts) add(from int64, p Part) {
	by := p.New - p.Old
	if n := len(s.by); n > 0 && s.by[n-1] == by {
		return
	}
	s.from, s.by = append(s.from, from), append(s.by, by)
}

// of gives the shift of the byte at an offset, or of what is before it where it
// is gone.
func (s *shifts) of(offset int64) int64 {
	n := len(s.from)
	if n == 0 {
		return 0
	}
	if offset < s.from[s.last] || s.last+1 < n && offset >= s.from[s.last+1] {
		s.last = max(sort.Search(n, func(i int) bool { return s.from[i] > offset })-1, 0)
	}
	return s.by[s.last]
}

// longest is a heap of parts, the longest first.
type longest []Part

func (l longest) Len() int { return len(l) }

func (l longest) Less(i, j int) bool {
	if l[i].Length != l[j].Length {
		return l[i].Length > l[j].Length
	}
	return l[i].New < l[j].New
}

func (l longest) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *longest) Push(x any)   { *l = append(*l, x.(Part)) }

func (l *longest) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
}
