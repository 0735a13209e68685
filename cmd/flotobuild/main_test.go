package main

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// stateVariable names the state folder that all scripts of one run share, from
// TestMain to the scripts.
const stateVariable = "FLOTOBUILD_TEST_STATE"

var update = flag.Bool("update", false, "rewrite golden files, those in scripts included")

func TestMain(m *testing.M) {
	testscript.Main(sharedEngine{m}, map[string]func(){"flotobuild": main})
}

// A sharedEngine runs the tests with one build engine and ends it afterwards.
// The engine is this test binary, started again.
type sharedEngine struct{ m *testing.M }

// Run implements testscript.TestingM.
func (s sharedEngine) Run() int {
	state, err := os.MkdirTemp("", "flotobuild-test-state")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(state)
	if err := os.Setenv(stateVariable, state); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := s.m.Run()
	if err := endEngine(state); err != nil {
		fmt.Fprintln(os.Stderr, "cannot stop the build engine of the tests:", err)
		return 1
	}
	return code
}

// endEngine stops the engine of a state folder, as XDG_STATE_HOME names it.
func endEngine(state string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := stopEngine(ctx, filepath.Join(state, "flotobuild", "engine"))
	return err
}

func TestScripts(t *testing.T) {
	rootfs := surroundings(t, "FLOTOBUILD_TEST_ROOTFS")
	runc := surroundings(t, "FLOTOBUILD_TEST_RUNC")
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "scripts"),
		Cmds:                scriptCommands(),
		Condition:           scriptCondition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(e *testscript.Env) error {
			e.Values[registryKey{}] = new(*httptest.Server)
			home := filepath.Join(e.WorkDir, ".home")
			e.Vars = append(e.Vars,
				"HOME="+home,
				"XDG_STATE_HOME="+os.Getenv(stateVariable),
				"FLOTOBUILD_RUNC="+runc,
				"ROOTFS="+rootfs,
				"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
				"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@plant.example",
				"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@plant.example",
				"GIT_CEILING_DIRECTORIES="+filepath.Dir(e.WorkDir),
			)
			return os.Mkdir(home, 0o755)
		},
	})
}

// surroundings gives what make test provides to the tests.
func surroundings(t *testing.T, name string) string {
	value, ok := os.LookupEnv(name)
	if !ok {
		t.Fatalf("%s is not set: run \"make test\", which provides what the scripts need", name)
	}
	return value
}
