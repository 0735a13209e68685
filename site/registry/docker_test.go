package registry

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDocker pulls with Docker itself, by tag and by digest.
func TestDocker(t *testing.T) {
	docker := startDocker(t)
	w := plant(t)
	host := w.serve()
	i := w.image("historian", "one")
	for _, ref := range []string{host + "/historian:active", host + "/historian@" + i.Descriptor.Digest.String(), host + "/web_ui:1.0.0"} {
		if out, err := docker("pull", ref); err != nil {
			t.Fatalf("docker pull %s: %v\n%s", ref, err, out)
		}
	}
	out, err := docker("image", "inspect", "--format", "{{.Id}}", host+"/historian:active")
	if err != nil || strings.TrimSpace(out) != i.ID.String() {
		t.Errorf("the image that Docker has is %s, not %s: %v", out, i.ID, err)
	}
	if out, err := docker("push", host+"/historian:active"); err == nil {
		t.Errorf("docker push succeeds: %s", out)
	}
}

// startDocker starts an engine of the test's own, and gives its client. It ends
// with the test.
func startDocker(t *testing.T) func(args ...string) (string, error) {
	t.Helper()
	for _, name := range []string{"dockerd", "docker"} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("no %s in PATH; Debian: apt-get install docker.io", name)
			}
			t.Skipf("no %s in PATH; Debian: apt-get install docker.io", name)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("only root can start dockerd")
	}
	dir, err := os.MkdirTemp("", "flotobuild-docker-") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	socket := "unix://" + filepath.Join(dir, "sock")
	var log bytes.Buffer
	cmd := exec.Command("dockerd", "-H", socket, "--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"-p", filepath.Join(dir, "pid"), "--storage-driver=vfs",
		"--iptables=false", "--ip6tables=false", "--bridge=none", "--ip-forward=false", "--ip-masq=false")
	cmd.Stdout, cmd.Stderr = &log, &log
	// The engine and the containerd that it starts must not outlive the test.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("dockerd leaves something: %v", err)
		}
	})
	run := func(args ...string) (string, error) {
		c := exec.Command("docker", append([]string{"-H", socket}, args...)...)
		c.Env = append(os.Environ(), "DOCKER_CONFIG="+dir)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if _, err := run("version"); err == nil {
			return run
		}
	}
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	t.Fatalf("dockerd does not answer:\n%s", log.String())
	return nil
}
