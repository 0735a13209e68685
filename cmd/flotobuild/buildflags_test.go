package main

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestLimitMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for _, test := range []struct {
		env          string
		inside       bool
		memory, want int64
	}{
		{"", false, 768 << 20, 896 << 20},
		{"", false, 1, 192 << 20},
		{"", false, math.MaxInt64, 1 << 40},
		{"", true, 768 << 20, 1 << 40},
		{"2GiB", false, 768 << 20, 1 << 40},
	} {
		t.Setenv("GOMEMLIMIT", test.env)
		debug.SetMemoryLimit(1 << 40)
		(&buildFlags{noDaemon: test.inside}).limitMemory(test.memory)
		if got := debug.SetMemoryLimit(-1); got != test.want {
			t.Errorf("%+v: the limit is %d", test, got)
		}
	}
}
