package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An archive is Debian's, as the machine's own apt reaches it, with state of
// its own below a folder: nothing of the machine's apt changes.
type archive struct {
	dir       string
	main, sec string // addresses, from the machine's own sources
	ready     map[string]bool
}

// findArchive reads from the machine's apt where packages come from.
func findArchive(ctx context.Context, dir string) (*archive, error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages").Output()
	if err != nil {
		return nil, fmt.Errorf("cannot ask apt for its sources (the pairs come from Debian packages): %w", err)
	}
	a := &archive{dir: dir, ready: map[string]bool{}}
	for line := range strings.Lines(string(out)) {
		uri, release, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case strings.HasSuffix(release, "-security"):
			a.sec = uri
		case strings.Contains(uri, "debian") && !strings.Contains(release, "-"):
			a.main = uri
		}
	}
	if a.main == "" || a.sec == "" {
		return nil, errors.New("cannot find Debian and its security updates among apt's sources: the pairs come from both")
	}
	return a, nil
}

// run runs a command of apt on the packages of some suites only.
func (a *archive) run(ctx context.Context, suites []string, name string, args ...string) ([]byte, error) {
	key := strings.Join(suites, "+")
	if !a.ready[key] {
		if err := a.configure(key, suites); err != nil {
			return nil, err
		}
		a.ready[key] = true
		if _, err := a.run(ctx, suites, "apt-get", "-qq", "update"); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(a.dir, key, "apt.conf"), "LC_ALL=C")
	cmd.Dir = filepath.Join(a.dir, key, "packages")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("cannot run %q: %w: %s", cmd.Args, err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// configure makes apt's folders for a set of suites.
func (a *archive) configure(key string, suites []string) error {
	root := filepath.Join(a.dir, key)
	for _, dir := range []string{"state/lists/partial", "cache/archives/partial", "packages"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	var sources strings.Builder
	for _, suite := range suites {
		uri := a.main
		if strings.HasSuffix(suite, "-security") {
			uri = a.sec
		}
		fmt.Fprintf(&sources, "deb %s %s main\n", uri, suite)
	}
	conf := fmt.Sprintf(`Dir::Etc::sourcelist "%[1]s/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "%[1]s/state";
Dir::State::status "%[1]s/status";
Dir::Cache "%[1]s/cache";
APT::Install-Recommends "false";
APT::Sandbox::User "%[2]d";
Acquire::Languages "none";
`, root, os.Getuid())
	for name, content := range map[string]string{"sources.list": sources.String(), "status": "", "apt.conf": conf} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

var uriLine = regexp.MustCompile(`(?m)^'[^']*' (\S+\.deb) `)

// closure downloads packages and all that they depend on, and returns the
// files, sorted by name.
func (a *archive) closure(ctx context.Context, suites, packages []string) ([]string, error) {
	args := append([]string{"-y", "--print-uris", "install"}, packages...)
	out, err := a.run(ctx, suites, "apt-get", args...)
	if err != nil {
		return nil, err
	}
	var wanted []string
	for _, m := range uriLine.FindAllStringSubmatch(string(out), -1) {
		name, version, ok := packageOf(m[1])
		if !ok {
			return nil, fmt.Errorf("cannot read the file name %q of apt", m[1])
		}
		wanted = append(wanted, name+"="+version)
	}
	return a.download(ctx, suites, wanted)
}

// packageOf splits apt's name of a file: name_version_architecture.deb, the
// version's colon escaped.
func packageOf(file string) (name, version string, ok bool) {
	fields := strings.Split(strings.TrimSuffix(file, ".deb"), "_")
	if len(fields) != 3 {
		return "", "", false
	}
	return fields[0], strings.ReplaceAll(fields[1], "%3a", ":"), true
}

// download fetches packages at given versions unless they are there.
func (a *archive) download(ctx context.Context, suites, wanted []string) ([]string, error) {
	dir := filepath.Join(a.dir, strings.Join(suites, "+"), "packages")
	var missing, files []string
	find := func(want string) []string {
		name, version, _ := strings.Cut(want, "=")
		found, _ := filepath.Glob(filepath.Join(dir, name+"_"+strings.ReplaceAll(version, ":", "%3a")+"_*.deb"))
		return found
	}
	for _, want := range wanted {
		if len(find(want)) == 0 {
			missing = append(missing, want)
		}
	}
	if len(missing) > 0 {
		if _, err := a.run(ctx, suites, "apt-get", append([]string{"-qq", "download"}, missing...)...); err != nil {
			return nil, err
		}
	}
	for _, want := range wanted {
		found := find(want)
		if len(found) == 0 {
			return nil, fmt.Errorf("cannot find the file of package %q after apt downloaded it", want)
		}
		files = append(files, found[0])
	}
	slices.Sort(files)
	return files, nil
}

// kernels returns two packages with kernels of one flavour and neighbouring
// releases: the pinned ones while the archive has them, else the newest two.
func (a *archive) kernels(ctx context.Context, suites []string, pattern string, pinned [2]string) (older, newer string, err error) {
	out, err := a.run(ctx, suites, "apt-cache", "pkgnames", "linux-image-")
	if err != nil {
		return "", "", err
	}
	names := strings.Fields(string(out))
	if slices.Contains(names, pinned[0]) && slices.Contains(names, pinned[1]) {
		return pinned[0], pinned[1], nil
	}
	match := regexp.MustCompile(pattern)
	names = slices.DeleteFunc(names, func(n string) bool { return !match.MatchString(n) })
	number := func(name string) int { n, _ := strconv.Atoi(match.FindStringSubmatch(name)[1]); return n }
	slices.SortFunc(names, func(a, b string) int { return number(a) - number(b) })
	if len(names) < 2 {
		return "", "", fmt.Errorf("cannot find two kernels %q in the archive", pattern)
	}
	return names[len(names)-2], names[len(names)-1], nil
}

// addPackages unpacks packages into a layer, and writes what dpkg would know
// of them and of those in layers beneath.
func addPackages(ctx context.Context, l *layer, files, beneath []string) error {
	var status strings.Builder
	for _, file := range files {
		err := readTar(ctx, "--fsys-tarfile", file, l.addTar)
		if err == nil {
			err = readTar(ctx, "--ctrl-tarfile", file, func(r io.Reader) error { return l.addControl(r, &status) })
		}
		if err != nil {
			return fmt.Errorf("cannot unpack %q: %w", file, err)
		}
	}
	for _, file := range beneath {
		if err := readTar(ctx, "--ctrl-tarfile", file, func(r io.Reader) error { return addStatus(r, &status) }); err != nil {
			return fmt.Errorf("cannot unpack %q: %w", file, err)
		}
	}
	return l.addBytes("var/lib/dpkg/status", 0o644, status.String())
}

// readTar hands a tar inside a package to a reader.
func readTar(ctx context.Context, which, file string, read func(io.Reader) error) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", which, file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = read(out)
	_, _ = io.Copy(io.Discard, out)
	return errors.Join(err, cmd.Wait())
}
