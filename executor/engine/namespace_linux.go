package engine

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// namespaceEnv tells an engine of an ordinary user how far it is: "wait" until
// its ids are mapped, "ready" afterwards.
const namespaceEnv = "FLOTOBUILD_ENGINE_NAMESPACE"

// rootless tells that this engine is root in a user namespace only.
func rootless() bool { return os.Getenv(namespaceEnv) == "ready" }

// spawnMapped starts cmd in a user and a mount namespace of its own, where the
// user is root and the subordinate ids of /etc/subuid and /etc/subgid are the
// other users. Needs newuidmap and newgidmap (Debian: uidmap).
func spawnMapped(cmd *exec.Cmd) (<-chan error, error) {
	uids, gids, err := subordinateIDs()
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cmd.ExtraFiles = []*os.File{r}
	cmd.Env = append(cmd.Env, namespaceEnv+"=wait")
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS
	err = cmd.Start()
	r.Close()
	if err != nil {
		return nil, fmt.Errorf("cannot create a user namespace: %w; the kernel or a security policy of this machine forbids it to ordinary users", err)
	}
	exited := wait(cmd)
	err = mapIDs("newuidmap", cmd.Process.Pid, os.Getuid(), uids)
	if err == nil {
		err = mapIDs("newgidmap", cmd.Process.Pid, os.Getgid(), gids)
	}
	if err == nil {
		_, err = w.WriteString("go")
	}
	if err != nil {
		return nil, errors.Join(err, cmd.Process.Kill())
	}
	return exited, nil
}

// awaitNamespace is the other side of spawnMapped: it waits for the mapping and
// executes the program again, as only an exec gains the capabilities of root in
// the namespace. It reports true when the engine has nothing left to do.
func awaitNamespace() (bool, error) {
	if os.Getenv(namespaceEnv) != "wait" {
		return false, nil
	}
	pipe := os.NewFile(3, "namespace")
	word, err := io.ReadAll(pipe)
	pipe.Close()
	if err != nil || string(word) != "go" {
		return true, err // the starter has given up, and said why
	}
	env := environment(os.Environ(), "")
	env = env[:len(env)-2] // TMPDIR and XDG_RUNTIME_DIR stay as the starter set them
	for _, name := range []string{"TMPDIR", "XDG_RUNTIME_DIR"} {
		env = append(env, name+"="+os.Getenv(name))
	}
	// runc keeps its state in XDG_RUNTIME_DIR unless it believes to be the real root.
	env = append(env, "USER=flotobuild", namespaceEnv+"=ready")
	if err := os.MkdirAll(os.Getenv("XDG_RUNTIME_DIR"), 0o700); err != nil {
		return true, err
	}
	return true, syscall.Exec("/proc/self/exe", os.Args, env)
}

type idRange struct{ first, count int }

func subordinateIDs() (uids, gids idRange, err error) {
	for _, tool := range []string{"newuidmap", "newgidmap"} {
		if _, err := exec.LookPath(tool); err != nil {
			return uids, gids, fmt.Errorf("ordinary users need %s for the embedded build engine: install Debian's package uidmap, or name a remote engine in BUILDKIT_HOST", tool)
		}
	}
	u, err := user.Current()
	if err != nil {
		return uids, gids, err
	}
	if uids, err = readRange("/etc/subuid", u.Username, u.Uid); err != nil {
		return uids, gids, err
	}
	gids, err = readRange("/etc/subgid", u.Username, u.Uid)
	return uids, gids, err
}

// readRange finds the largest range of a user, see subuid(5).
func readRange(file, name, id string) (idRange, error) {
	f, err := os.Open(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return idRange{}, err
	}
	var best idRange
	if err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			p := strings.Split(s.Text(), ":")
			if len(p) != 3 || p[0] != name && p[0] != id {
				continue
			}
			first, err1 := strconv.Atoi(p[1])
			count, err2 := strconv.Atoi(p[2])
			if err1 == nil && err2 == nil && count > best.count {
				best = idRange{first, count}
			}
		}
	}
	if best.count < 65536 {
		return best, fmt.Errorf("the embedded build engine needs 65536 subordinate ids for user %q in %s: add some with \"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s\" as root", name, file, name)
	}
	return best, nil
}

func mapIDs(tool string, pid, self int, r idRange) error {
	out, err := exec.Command(tool, strconv.Itoa(pid), "0", strconv.Itoa(self), "1",
		"1", strconv.Itoa(r.first), strconv.Itoa(r.count)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot map ids with %s: %w: %s", tool, err, strings.TrimSpace(string(out)))
	}
	return nil
}
