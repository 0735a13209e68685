package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/interp"
)

// head prints the start of its input: head [-n LINES | -c BYTES[K|M|G]] [FILE].
func head(_ context.Context, h interp.HandlerContext, args []string) error {
	lines, bytes := int64(10), int64(-1)
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flag, value := args[0][:2], args[0][2:]
		args = args[1:]
		if value == "" && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		n, err := parseSize(value)
		switch {
		case err != nil:
			return err
		case flag == "-n":
			lines, bytes = n, -1
		case flag == "-c":
			bytes = n
		default:
			return fmt.Errorf("usage: head [-n LINES | -c BYTES[K|M|G]] [FILE]")
		}
	}
	in, err := input(h, args)
	if err != nil {
		return err
	}
	defer in.Close()
	if bytes >= 0 {
		_, err = io.Copy(h.Stdout, io.LimitReader(in, bytes))
		return err
	}
	return copyLines(h.Stdout, in, lines)
}

func copyLines(w io.Writer, r io.Reader, n int64) error {
	in := bufio.NewReader(r)
	for ; n > 0; n-- {
		line, err := in.ReadString('\n')
		if _, werr := io.WriteString(w, line); werr != nil {
			return werr
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parseSize reads a count with an optional binary suffix K, M or G.
func parseSize(s string) (int64, error) {
	shift := 0
	switch {
	case strings.HasSuffix(s, "K"):
		shift = 10
	case strings.HasSuffix(s, "M"):
		shift = 20
	case strings.HasSuffix(s, "G"):
		shift = 30
	}
	if shift > 0 {
		s = s[:len(s)-1]
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is no count", s)
	}
	return int64(n) << shift, nil
}

// input opens the one file that the arguments name, or standard input.
func input(h interp.HandlerContext, args []string) (io.ReadCloser, error) {
	switch {
	case len(args) > 1:
		return nil, fmt.Errorf("takes one file, got %d", len(args))
	case len(args) == 0 || args[0] == "-":
		return io.NopCloser(h.Stdin), nil
	default:
		return os.Open(resolve(h, args[0]))
	}
}

// resolve makes a path absolute in the shell's working folder.
func resolve(h interp.HandlerContext, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(h.Dir, path)
}

// wc counts lines or bytes of its input: wc -l|-c [FILE].
func wc(_ context.Context, h interp.HandlerContext, args []string) error {
	if len(args) == 0 || args[0] != "-l" && args[0] != "-c" {
		return fmt.Errorf("usage: wc -l|-c [FILE]")
	}
	in, err := input(h, args[1:])
	if err != nil {
		return err
	}
	defer in.Close()
	var c counter
	size, err := io.Copy(&c, in)
	if err != nil {
		return err
	}
	if args[0] == "-l" {
		size = c.lines
	}
	_, err = fmt.Fprintln(h.Stdout, size)
	return err
}

// counter counts the lines that are written to it.
type counter struct{ lines int64 }

func (c *counter) Write(p []byte) (int, error) {
	for _, b := range p {
		if b == '\n' {
			c.lines++
		}
	}
	return len(p), nil
}

// seq prints the numbers of a range: seq [FIRST] LAST.
func seq(ctx context.Context, h interp.HandlerContext, args []string) error {
	first, last := "1", ""
	switch len(args) {
	case 1:
		last = args[0]
	case 2:
		first, last = args[0], args[1]
	default:
		return fmt.Errorf("usage: seq [FIRST] LAST")
	}
	from, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	to, err := strconv.Atoi(last)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(h.Stdout)
	for n := from; n <= to && ctx.Err() == nil; n++ {
		fmt.Fprintln(out, n)
	}
	return out.Flush()
}
