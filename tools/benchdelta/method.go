package main

import (
	"fmt"
	"math/bits"
	"path/filepath"
	"strconv"
)

// A method makes an update, and the new layers from it again.
type method struct {
	name string
	// reference methods are those that R is the best of.
	reference bool
	// limit is the largest base in bytes that it is run on; zero is any.
	limit int64
	// create makes the file at update; apply makes the file at back.
	create, apply func(f files) []step
	// same fails unless what apply made is right; nil compares the one file.
	same func(f files) error
}

// files are what a method works on.
type files struct {
	old, new     string // all layers in one file
	oldSize      int64
	oldImage     string // the same as OCI layouts
	newImage     string
	blobs        []string // the layers of newImage
	update, back string
	scratch      string
}

func (f files) temp(name string) string { return filepath.Join(f.scratch, name) }

// window is the smallest power of two that holds the base, in zstd's terms.
func (f files) window() string {
	return strconv.Itoa(min(max(bits.Len64(uint64(f.oldSize))+1, 27), 31))
}

// others are the other tools. bsdiff, which holds 17 times the base, runs on
// bases of at most bsdiffLimit bytes.
func others(bsdiffLimit int64) []method {
	return []method{
		{
			name: "rdiff, block 512, gzip -9", reference: true,
			create: func(f files) []step {
				return []step{
					{[]string{"rdiff", "-f", "-b", "512", "signature", f.old, f.temp("signature")}, ""},
					{[]string{"rdiff", "-f", "delta", f.temp("signature"), f.new, f.temp("delta")}, ""},
					{[]string{"gzip", "-9", "-n", "-c", f.temp("delta")}, f.update},
				}
			},
			apply: func(f files) []step {
				return []step{
					{[]string{"gzip", "-d", "-c", f.update}, f.temp("delta")},
					{[]string{"rdiff", "-f", "patch", f.old, f.temp("delta"), f.back}, ""},
				}
			},
		},
		{
			name: "xdelta3 -9 -S lzma", reference: true,
			create: func(f files) []step {
				return []step{{[]string{
					"xdelta3", "-e", "-f", "-9", "-S", "lzma", "-B", fmt.Sprint(min(f.oldSize, 1<<31-1)), "-W", "16777216", "-I", "0", "-s", f.old, f.new, f.update,
				}, ""}}
			},
			apply: func(f files) []step {
				return []step{{[]string{"xdelta3", "-d", "-f", "-B", fmt.Sprint(min(f.oldSize, 1<<31-1)), "-s", f.old, f.update, f.back}, ""}}
			},
		},
		{
			name: "zstd -19 --long --patch-from", reference: true,
			create: func(f files) []step {
				return []step{{[]string{"zstd", "-q", "-f", "-19", "--long=" + f.window(), "--single-thread", "--patch-from=" + f.old, f.new, "-o", f.update}, ""}}
			},
			apply: func(f files) []step {
				return []step{{[]string{"zstd", "-q", "-f", "-d", "--long=" + f.window(), "--patch-from=" + f.old, f.update, "-o", f.back}, ""}}
			},
		},
		{
			name: "bsdiff", limit: bsdiffLimit,
			create: func(f files) []step { return []step{{[]string{"bsdiff", f.old, f.new, f.update}, ""}} },
			apply:  func(f files) []step { return []step{{[]string{"bspatch", f.old, f.back, f.update}, ""}} },
		},
		{
			name: "full, gzip -6",
			create: func(f files) []step {
				return []step{{[]string{"gzip", "-6", "-n", "-c", f.new}, f.update}}
			},
			apply: func(f files) []step { return []step{{[]string{"gzip", "-d", "-c", f.update}, f.back}} },
		},
		{
			name: "full, zstd -19 --long=27",
			create: func(f files) []step {
				return []step{{[]string{"zstd", "-q", "-f", "-19", "--long=27", "--single-thread", f.new, "-o", f.update}, ""}}
			},
			apply: func(f files) []step {
				return []step{{[]string{"zstd", "-q", "-f", "-d", "--long=27", f.update, "-o", f.back}, ""}}
			},
		},
	}
}
