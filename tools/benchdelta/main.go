// Command benchdelta compares what updates of images cost to send: as deltas
// of this project, with other tools that make deltas, and as whole layers. It
// makes the images itself, from Debian packages, Go modules and npm packages
// at two versions.
//
// Usage, from within this module, on Debian with apt, go, npm, rdiff, xdelta3,
// zstd and bsdiff:
//
//	go run ./benchdelta -cache FOLDER [-program FLOTOBUILD] [-only a,b] [-keep] FILE
//
// The tables are written to FILE in Markdown. The pairs stay in the cache, and
// their sources beside them: where an archive no longer has a version, the
// newest two are taken, so that figures of different days may be of different
// images.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

type options struct {
	cache, pairs, program, only string
	keep, pairsOnly             bool
	bsdiff                      int64
}

func main() {
	var o options
	flag.StringVar(&o.cache, "cache", "", "folder for downloads and pairs, which are kept")
	flag.StringVar(&o.pairs, "pairs", "", "folder for the pairs instead of one in the cache: a folder each with old-N.tar and new-N.tar")
	flag.StringVar(&o.program, "program", "", "flotobuild; without it only the other tools are run")
	flag.StringVar(&o.only, "only", "", "names of pairs, separated by commas, instead of all")
	flag.BoolVar(&o.keep, "keep", false, "take what other tools made of a pair in an earlier run from there")
	flag.Int64Var(&o.bsdiff, "bsdiff", 128, "run bsdiff, which holds 17 times that, on old layers of at most so many MiB")
	flag.BoolVar(&o.pairsOnly, "make", false, "only make the pairs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "benchdelta: error: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, args []string) error {
	if o.cache == "" || len(args) != 1 && !o.pairsOnly {
		return errors.New("usage: benchdelta -cache FOLDER FILE")
	}
	cache, err := filepath.Abs(o.cache)
	if err != nil {
		return err
	}
	if o.pairs == "" {
		o.pairs = filepath.Join(cache, "pairs")
	}
	if o.pairs, err = filepath.Abs(o.pairs); err != nil {
		return err
	}
	if err := required(o); err != nil {
		return err
	}
	w := &workshop{cache: cache}
	methods := others(o.bsdiff << 20)
	if o.program != "" {
		methods = append(methods, own(o.program))
	}
	var rows []row
	for _, p := range pairs {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), p.Name) {
			continue
		}
		dir := filepath.Join(o.pairs, p.Name)
		if err := makePair(ctx, w, dir, p); err != nil {
			return fmt.Errorf("cannot make the pair %q: %w", p.Name, err)
		}
		if o.pairsOnly {
			continue
		}
		r, err := compare(ctx, dir, p, methods, o.keep)
		if err != nil {
			return fmt.Errorf("cannot compare the pair %q: %w", p.Name, err)
		}
		rows = append(rows, r)
		if err := writeReport(args[0], methods, rows); err != nil {
			return err
		}
	}
	return nil
}

// required names the programs that are missing: better now than after an hour.
func required(o options) error {
	programs := []string{"apt-get", "dpkg-deb", "go", "npm"}
	if !o.pairsOnly {
		programs = append(programs, "bsdiff", "gzip", "rdiff", "xdelta3", "zstd")
	}
	var missing []string
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("cannot find %s: install them (Debian's packages have these names; dpkg-deb is in dpkg, npm comes with Node.js)", strings.Join(missing, ", "))
	}
	return nil
}

// writeReport writes the tables so far: a run takes an hour, and one that ends
// early has something to show.
func writeReport(file string, methods []method, rows []row) error {
	var b strings.Builder
	writeTables(&b, methods, rows)
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
