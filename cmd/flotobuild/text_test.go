package main

import "testing"

func TestSafe(t *testing.T) {
	if got, want := safe("a\x1b[31mb\r\x7f\u009bü\tc\n"), "a\ufffd[31mb\ufffd\ufffd\ufffdü\tc\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSafeReplacesDirections(t *testing.T) {
	if got, want := safe("a\tb\nü\x1b[2J\u009b\u202eexe\u2066\u200f\x7f"), "a\tb\nü\ufffd[2J\ufffd\ufffdexe\ufffd\ufffd\ufffd"; got != want {
		t.Errorf("got %q", got)
	}
}
