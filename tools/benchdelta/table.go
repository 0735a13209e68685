package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// writeTables writes the results in Markdown.
func writeTables(w io.Writer, methods []method, rows []row) {
	fmt.Fprintf(w, "| | pair | old layers, MB | new layers, MB |\n| --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(w, "| %s | %s | %.1f | %.1f |\n", r.Pair, r.Title, float64(r.Base)/1e6, float64(r.New)/1e6)
	}
	fmt.Fprintf(w, "\nSizes, MB. R is the best of the three in *italics*.\n\n")
	table(w, "method", methods, rows, func(m method, r row, one result) string { return megabytes(one.Size) })
	writeRatios(w, methods, rows)
	fmt.Fprintf(w, "\nCreating: MB of new layers per CPU second (peak memory, MB).\n\n")
	table(w, "method", methods, rows, func(m method, r row, one result) string { return speed(r.New, one.Create) })
	fmt.Fprintf(w, "\nApplying: MB made per CPU second (peak memory, MB). An image is made with the layers that it shares.\n\n")
	table(w, "method", methods, rows, func(m method, r row, one result) string { return speed(one.Made, one.Apply) })
}

func megabytes(n int64) string { return fmt.Sprintf("%.3g", float64(n)/1e6) }

func speed(n int64, c cost) string {
	return fmt.Sprintf("%.3g (%d)", float64(n)/1e6/max(c.CPU, time.Millisecond).Seconds(), c.Memory/1e6)
}

func header(w io.Writer, first string, rows []row) {
	fmt.Fprintf(w, "| %s |", first)
	for _, r := range rows {
		fmt.Fprintf(w, " %s |", r.Pair)
	}
	fmt.Fprintf(w, "\n| --- |%s\n", strings.Repeat(" --- |", len(rows)))
}

func table(w io.Writer, first string, methods []method, rows []row, cell func(method, row, result) string) {
	header(w, first, rows)
	for _, m := range methods {
		name := m.name
		switch {
		case m.reference:
			name = "*" + name + "*"
		case m.name == ours:
			name = "**" + name + "**"
		}
		fmt.Fprintf(w, "| %s |", name)
		for _, r := range rows {
			one, ok := r.of(m.name)
			if !ok {
				fmt.Fprint(w, " – |")
				continue
			}
			fmt.Fprintf(w, " %s |", cell(m, r, one))
		}
		fmt.Fprintln(w)
	}
}

// of is the result of a method that ran.
func (r row) of(name string) (result, bool) {
	i := slices.IndexFunc(r.Results, func(o result) bool { return o.Method == name && o.Skipped == "" })
	if i < 0 {
		return result{}, false
	}
	return r.Results[i], true
}

// best is R: the smallest update of the reference methods.
func (r row) best(methods []method) (int64, bool) {
	var best int64
	for _, m := range methods {
		if one, ok := r.of(m.name); ok && m.reference && (best == 0 || one.Size < best) {
			best = one.Size
		}
	}
	return best, best > 0
}

// writeRatios writes R, this project's part of it and of bsdiff's size, and
// the geometric mean.
func writeRatios(w io.Writer, methods []method, rows []row) {
	fmt.Fprintln(w)
	header(w, "", rows)
	fmt.Fprint(w, "| R, bytes |")
	for _, r := range rows {
		if best, ok := r.best(methods); ok {
			fmt.Fprintf(w, " %d |", best)
		} else {
			fmt.Fprint(w, " – |")
		}
	}
	mean, worst := ratios(w, "\n| size/R |", rows, func(r row) (int64, bool) { return r.best(methods) })
	ratios(w, "\n| size/bsdiff |", rows, func(r row) (int64, bool) {
		one, ok := r.of("bsdiff")
		return one.Size, ok
	})
	fmt.Fprintln(w)
	if mean > 0 {
		fmt.Fprintf(w, "\nsize/R: geometric mean %.2f, worst %.2f.\n", mean, worst)
	}
}

// ratios writes a line of this project's sizes as parts of others, and returns
// their geometric mean and the largest; both are zero without any.
func ratios(w io.Writer, title string, rows []row, of func(row) (int64, bool)) (mean, worst float64) {
	fmt.Fprint(w, title)
	var logs float64
	var count int
	for _, r := range rows {
		own, ok := r.of(ours)
		other, there := of(r)
		if !ok || !there {
			fmt.Fprint(w, " – |")
			continue
		}
		ratio := float64(own.Size) / float64(other)
		fmt.Fprintf(w, " %.2f |", ratio)
		logs, count, worst = logs+math.Log(ratio), count+1, max(worst, ratio)
	}
	if count == 0 {
		return 0, 0
	}
	return math.Exp(logs / float64(count)), worst
}
