package main

import (
	"fmt"
	"strconv"
)

// byteSize writes a number of bytes in decimal units, as media sizes are given.
func byteSize(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v := float64(n)
	units := []string{"kB", "MB", "GB", "TB"}
	unit := ""
	for _, unit = range units {
		v /= 1000
		// What would be written as 1000.0 takes the next unit.
		if v < 999.95 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// count writes a number with its noun.
func count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case noun == "patch":
		return fmt.Sprintf("%d patches", n)
	case noun == "entry":
		return fmt.Sprintf("%d entries", n)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
