package shell

import (
	"context"
	"fmt"
	"strings"
	"time"

	"mvdan.cc/sh/v3/interp"
)

// dateLayouts are the conversions of date that are plain time layouts.
var dateLayouts = map[byte]string{
	'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05",
	'F': "2006-01-02", 'T': "15:04:05", 'Z': "MST", 'z': "-0700",
}

// date prints the time in UTC: date [-u] [+FORMAT].
func date(_ context.Context, h interp.HandlerContext, args []string) error {
	if len(args) > 0 && args[0] == "-u" {
		args = args[1:]
	}
	format := "+%FT%TZ"
	if len(args) > 0 {
		format = args[0]
	}
	if len(args) > 1 || !strings.HasPrefix(format, "+") {
		return fmt.Errorf("usage: date [-u] [+FORMAT]")
	}
	text, err := formatDate(time.Now().UTC(), format[1:])
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(h.Stdout, text)
	return err
}

func formatDate(t time.Time, format string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		i++
		if i == len(format) {
			return "", fmt.Errorf("format ends in a lone %%")
		}
		switch c := format[i]; {
		case c == '%':
			out.WriteByte('%')
		case c == 's':
			fmt.Fprint(&out, t.Unix())
		case c == 'N':
			fmt.Fprintf(&out, "%09d", t.Nanosecond())
		case dateLayouts[c] != "":
			out.WriteString(t.Format(dateLayouts[c]))
		default:
			return "", fmt.Errorf("unknown conversion %q", "%"+string(c))
		}
	}
	return out.String(), nil
}
