package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flotobuild/flotobuild/site/docker"
	"github.com/flotobuild/flotobuild/site/docker/dockertest"
)

// scriptCondition answers [docker]: whether Docker engines can be run here. In
// continuous integration they must.
func scriptCondition(name string) (bool, error) {
	if name != "docker" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	why := dockertest.Unavailable()
	if why != "" && dockertest.Required() {
		return false, fmt.Errorf("%s: .ci/run must see to it", why)
	}
	return why == "", nil
}

// cmdDockerd runs an engine until the script ends, and sets a variable to its
// address.
func cmdDockerd(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "dockerd VARIABLE")
	d, err := dockertest.Run()
	ts.Check(err)
	ts.Defer(func() { ts.Check(d.Stop()) })
	ts.Setenv(args[0], d.Address)
}

// cmdFreePort sets a variable to a TCP port of this machine that is free.
func cmdFreePort(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "freeport VARIABLE")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// cmdGoProgram compiles a Go program of one file that runs without any other.
func cmdGoProgram(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "goprogram SOURCE OUTPUT")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", ts.MkAbs(args[1]), ts.MkAbs(args[0]))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GO111MODULE=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("%v\n%s", err, out)
	}
}

// cmdAnswers waits until a URL gives a text that matches. With "!" nothing may
// answer there.
func cmdAnswers(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1+map[bool]int{false: 1}[neg] {
		ts.Fatalf("usage: answers URL PATTERN, or ! answers URL")
	}
	text, err := httpGet(args[0])
	if neg {
		if err == nil {
			ts.Fatalf("%s answers: %s", args[0], text)
		}
		return
	}
	pattern := regexp.MustCompile(args[1])
	for end := time.Now().Add(patience / 8); !pattern.MatchString(text); text, err = httpGet(args[0]) {
		if time.Now().After(end) {
			ts.Fatalf("%s gives %q, %v, and not %q", args[0], text, err, args[1])
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func httpGet(url string) (string, error) {
	r, err := (&http.Client{Timeout: 5 * time.Second}).Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return strings.TrimSpace(string(b)), err
}

// cmdContainers writes the containers of a Compose project to a file, a line
// each: service, state and id.
func cmdContainers(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 3, "containers ADDRESS PROJECT FILE")
	var lines strings.Builder
	for _, c := range containersOf(ts, args[0], args[1]) {
		fmt.Fprintf(&lines, "%s %s %s\n", c.Service(), c.State, c.ID)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(lines.String()), 0o644))
}

func containersOf(ts *testscript.TestScript, address, project string) []docker.Container {
	p, err := docker.Environment{Getenv: os.Getenv}.Resolve(address)
	ts.Check(err)
	e, err := docker.Connect(context.Background(), p)
	ts.Check(err)
	defer e.Close()
	all, err := e.Containers(context.Background(), map[string]string{docker.LabelProject: project})
	ts.Check(err)
	return all
}

// killsVariable sets how often cmdKillRedeploy kills.
const killsVariable = "FLOTOBUILD_TEST_KILLS"

// cmdKillRedeploy goes to and fro between two patches, kills the redeploy at a
// random moment, and lets another one finish: the containers must then be those
// of the active patch, each once and running. The engine's answers on the URL
// say which patch runs: its version.
func cmdKillRedeploy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: killredeploy TIMES PROJECT URL VERSION…")
	}
	times, err := strconv.Atoi(args[0])
	ts.Check(err)
	if more := os.Getenv(killsVariable); more != "" {
		times, err = strconv.Atoi(more)
		ts.Check(err)
	}
	versions := args[3:]
	longest := 6 * time.Second
	for n := range times {
		version := versions[n%len(versions)]
		ts.Check(ts.Exec("docker", "image", "prune", "--all", "--force")) // so that images must be loaded
		ts.Check(ts.Exec("flotobuild", "site", "activate", version))
		cmd := exec.Command(lookPath(ts, "flotobuild"), "site", "redeploy")
		cmd.Dir, cmd.Env = ts.MkAbs("."), environ(ts)
		ts.Check(cmd.Start())
		moment := rand.N(longest)
		kill := time.AfterFunc(moment, func() { cmd.Process.Kill() })
		begun := time.Now()
		if cmd.Wait() == nil {
			longest = max(time.Since(begun), 100*time.Millisecond)
		}
		kill.Stop()
		ts.Check(ts.Exec("flotobuild", "site", "redeploy"))
		checkDeployed(ts, args[1], args[2], version, fmt.Sprintf("redeploy %d, killed after %v", n, moment))
	}
}

func checkDeployed(ts *testscript.TestScript, project, url, version, what string) {
	seen := make(map[string]bool)
	for _, c := range containersOf(ts, ts.Getenv("DOCKER_HOST"), project) {
		if c.State != docker.Running || seen[c.Service()] || strings.Contains(c.Name, "_"+project) {
			ts.Fatalf("%s: container %q of %s is %s", what, c.Name, c.Service(), c.State)
		}
		seen[c.Service()] = true
	}
	if len(seen) == 0 {
		ts.Fatalf("%s: nothing runs", what)
	}
	cmdAnswers(ts, false, []string{url, "^" + regexp.QuoteMeta(version)})
	left, err := filepath.Glob(filepath.Join(ts.Getenv("FLOTOBUILD_SITE"), "deploy", "mounts", ".*"))
	ts.Check(err)
	if len(left) > 0 {
		ts.Fatalf("%s: left %q", what, left)
	}
}
