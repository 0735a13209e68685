package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// byteSize writes a size in decimal units, as the command does.
func byteSize(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB"} {
		v /= 1000
		if v < 999.95 { // what would be written as 1000.0 takes the next unit
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
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// stamp is a time for people: UTC, to the minute. The foot of the
// page says that it is UTC.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// plain makes characters visible that cannot be seen, or that change the
// direction of text: names come from files of unknown makers, and must not look
// like others.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '\ufffd'
		}
		return r
	}, text)
}

// short is as much of a digest as tells it apart.
func short(digest string) string {
	hex := strings.TrimPrefix(digest, "sha256:")
	return hex[:min(12, len(hex))]
}

// percent is how much of a total is done, from 0 to 100.
func percent(done, total int64) int {
	if total <= 0 {
		return 0
	}
	return int(min(100, done*100/total))
}

// label names a field of a description for people.
func label(key string) string {
	switch key {
	case "siteName":
		return "site"
	case "flotobuild.version":
		return "version"
	case "rootDefinitionFile":
		return "root definition"
	}
	return key
}
