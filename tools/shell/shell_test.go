package shell

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// call runs argv with stdin in a fresh folder.
func call(t *testing.T, stdin string, argv ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	var out, errs strings.Builder
	code = Main(context.Background(), Stdio{strings.NewReader(stdin), &out, &errs}, argv)
	return code, out.String(), errs.String()
}

func TestMain_shell(t *testing.T) {
	tests := []struct {
		name   string
		stdin  string
		argv   []string
		code   int
		stdout string
		stderr string // a part of it
	}{
		{"chain", "", []string{"/bin/sh", "-c", "echo a > f && cat f"}, 0, "a\n", ""},
		{"pipe", "", []string{"sh", "-c", "seq 5 | head -n 2 | wc -l"}, 0, "2\n", ""},
		{"exit code", "", []string{"sh", "-c", "exit 7"}, 7, "", ""},
		{"last command", "", []string{"sh", "-c", "cat nosuch"}, 1, "", "cat: "},
		{"error goes on", "", []string{"sh", "-c", "cat nosuch; echo b"}, 0, "b\n", "nosuch"},
		{"option e", "", []string{"sh", "-ec", "false; echo b"}, 1, "", ""},
		{"option o", "", []string{"sh", "-euo", "pipefail", "-c", "false | true"}, 1, "", ""},
		{"option u", "", []string{"sh", "-u", "-c", "echo $nosuch"}, 1, "", "nosuch"},
		{"parameters", "", []string{"sh", "-c", `echo "$0|$1"`, "x", "y z"}, 0, "x|y z\n", ""},
		{"standard input", "echo a\necho b\n", []string{"sh"}, 0, "a\nb\n", ""},
		{"unknown command", "", []string{"sh", "-c", "nosuch"}, 127, "", "nosuch"},
		{"syntax error", "", []string{"sh", "-c", "if"}, 2, "", "sh: "},
		{"no command", "", []string{"sh", "-c"}, 2, "", "-c needs a command"},
		{"bad option", "", []string{"sh", "-Q"}, 2, "", "-Q"},
		{"no script", "", []string{"sh", "nosuch.sh"}, 127, "", "nosuch.sh"},
		{"by name", "", []string{"/bin/echo", "a", "$b  c"}, 0, "a $b  c\n", ""},
		{"by name, failing", "", []string{"/bin/cat", "nosuch"}, 1, "", "nosuch"},
		{"by name, input", "a\nb\n", []string{"/bin/wc", "-l"}, 0, "2\n", ""},
		{"non-ASCII", "", []string{"sh", "-c", "mkdir Größe && ls"}, 0, "Größe\n", ""},
		{"links", "", []string{"sh", "-c", "echo a > t; ln -s t l; ln -sf t l; cat l"}, 0, "a\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := call(t, test.stdin, test.argv...)
			if code != test.code || stdout != test.stdout || !strings.Contains(stderr, test.stderr) {
				t.Errorf("got exit code %d, stdout %q, stderr %q; want %d, %q, and stderr with %q",
					code, stdout, stderr, test.code, test.stdout, test.stderr)
			}
		})
	}
}

func TestMain_script(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script.sh")
	if err := os.WriteFile(script, []byte("echo $1\nexit 4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, stdout, _ := call(t, "", "sh", script, "a"); code != 4 || stdout != "a\n" {
		t.Errorf("got exit code %d, stdout %q", code, stdout)
	}
}

func TestHead_bytes(t *testing.T) {
	if _, stdout, _ := call(t, "", "sh", "-c", "head -c 2M /dev/zero | wc -c"); stdout != "2097152\n" {
		t.Errorf("head -c 2M gives %q bytes", stdout)
	}
	for _, size := range []string{"-1", "x", "", "99999999999G"} {
		if code, _, _ := call(t, "", "head", "-c", size, "/dev/zero"); code != 1 {
			t.Errorf("head -c %q: exit code %d, want 1", size, code)
		}
	}
}

func TestFormatDate(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
	for format, want := range map[string]string{
		"%s%N": "1772600767000000008", "%F": "2026-03-04", "%T%%": "05:06:07%", "": "",
	} {
		if got, err := formatDate(at, format); err != nil || got != want {
			t.Errorf("formatDate(%q) = %q, %v; want %q", format, got, err, want)
		}
	}
	for _, format := range []string{"%", "%é", "%q"} {
		if got, err := formatDate(at, format); err == nil {
			t.Errorf("formatDate(%q) = %q, want an error", format, got)
		}
	}
}
