package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdSession runs flotobuild with messages of the Language Server Protocol: each
// line of a file is one, but for lines "await PATTERN", which wait for what the
// server writes, and lines that begin with #. FOLDER stands for the script's
// folder. Its output becomes stdout and stderr.
func cmdSession(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: session EXITCODE FILE ARGS…")
	}
	out, errs := &watched{}, &watched{}
	cmd := exec.Command(lookPath(ts, "flotobuild"), args[2:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), environ(ts)
	cmd.Stdout, cmd.Stderr = out, errs
	in, err := cmd.StdinPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for _, line := range strings.Split(strings.TrimSpace(ts.ReadFile(args[1])), "\n") {
		line = strings.ReplaceAll(line, "FOLDER", ts.MkAbs("."))
		if pattern, ok := strings.CutPrefix(line, "await "); ok {
			if !out.await(pattern) {
				cmd.Process.Kill()
				ts.Fatalf("no %q in\n%s%s", pattern, out.seen(), errs.seen())
			}
		} else if !strings.HasPrefix(line, "#") {
			fmt.Fprintf(in, "Content-Length: %d\r\n\r\n%s", len(line), line)
		}
	}
	in.Close()
	select {
	case <-ended:
	case <-time.After(patience):
		cmd.Process.Kill()
		ts.Fatalf("it does not end:\n%s%s", out.seen(), errs.seen())
	}
	fmt.Fprintf(ts.Stdout(), "%s\n", out.seen())
	fmt.Fprintf(ts.Stderr(), "%s", errs.seen())
	if code := cmd.ProcessState.ExitCode(); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, not %s", code, args[0])
	}
}

// await waits until what was written matches.
func (w *watched) await(pattern string) bool {
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if re.Match(w.seen()) {
			return true
		}
	}
	return false
}
