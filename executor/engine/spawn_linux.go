package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// serveArgs is the hidden subcommand that Serve stands behind.
var serveArgs = []string{"engine", "serve"}

// spawn starts this program again as the engine, in a session of its own, so
// that neither a closed terminal nor an interrupt ends it. The channel tells
// how it ended.
func spawn(opts Options, log *os.File) (<-chan error, error) {
	cmd := exec.Command("/proc/self/exe", append(serveArgs, "--state", opts.StateDir)...)
	cmd.Args[0] = os.Args[0] // the test binary finds the command by it
	if opts.Runc != "" {
		cmd.Args = append(cmd.Args, "--runc", opts.Runc)
	}
	cmd.Dir = "/"
	cmd.Env = environment(os.Environ(), opts.StateDir)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() != 0 {
		return spawnMapped(cmd)
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return wait(cmd), nil
}

func wait(cmd *exec.Cmd) <-chan error {
	exited := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		if err == nil {
			err = fmt.Errorf("exit status 0")
		}
		exited <- err
	}()
	return exited
}

// environment keeps what an engine that outlives its starter should know: where
// programs and folders are, and how to reach registries. All else stays behind,
// so that builds do not depend on who happened to start the engine.
func environment(env []string, stateDir string) []string {
	keep := map[string]bool{
		"PATH": true, "HOME": true, "LANG": true, "USER": true, "DOCKER_CONFIG": true,
		"SSL_CERT_FILE": true, "SSL_CERT_DIR": true, "FLOTOBUILD_RUNC": true,
		"HTTP_PROXY": true, "HTTPS_PROXY": true, "NO_PROXY": true, "ALL_PROXY": true,
		"http_proxy": true, "https_proxy": true, "no_proxy": true, "all_proxy": true,
	}
	var out []string
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); keep[name] {
			out = append(out, kv)
		}
	}
	return append(out,
		"TMPDIR="+filepath.Join(stateDir, "tmp"),
		"XDG_RUNTIME_DIR="+filepath.Join(stateDir, "run"),
	)
}
