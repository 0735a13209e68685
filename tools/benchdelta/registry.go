package main

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// buildGo builds a command of a module at a version, static and without paths
// of this machine, and returns the file.
func buildGo(ctx context.Context, dir string, p goBinary) (string, error) {
	bin := filepath.Join(dir, p.Version, "stripped="+fmt.Sprint(p.Stripped))
	file := filepath.Join(bin, commandName(p.Command))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	args := []string{"install", "-trimpath"}
	if p.Stripped {
		args = append(args, "-ldflags=-s -w")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, p.Command+"@"+p.Version)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOBIN="+bin, "GOFLAGS=-buildvcs=false", "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("cannot build %s at %s: %w", p.Command, p.Version, err)
	}
	return file, nil
}

// major is the last element of a module's path from its second release on.
var major = regexp.MustCompile(`^v[0-9]+$`)

// commandName is what go install calls a command.
func commandName(command string) string {
	if base := path.Base(command); !major.MatchString(base) {
		return base
	}
	return path.Base(path.Dir(command))
}

// installNode installs an application's dependencies as they were on a day,
// without running their scripts, and returns the folder.
func installNode(ctx context.Context, dir string, p nodeModules) (string, error) {
	root := filepath.Join(dir, p.Name+"-"+p.Before)
	done := filepath.Join(root, ".complete")
	app := filepath.Join(root, "app")
	if _, err := os.Stat(done); err == nil {
		return app, nil
	}
	if err := os.RemoveAll(root); err != nil {
		return "", err
	}
	if err := os.MkdirAll(app, 0o755); err != nil {
		return "", err
	}
	manifest, err := json.MarshalIndent(map[string]any{"name": p.Name, "version": p.Version, "private": true, "dependencies": p.Dependencies}, "", "  ")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(app, "package.json"), append(manifest, '\n'), 0o644); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "npm", "install", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error", "--before="+p.Before)
	cmd.Dir, cmd.Stderr = app, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("cannot install the Node packages of %q: %w", p.Name, err)
	}
	return app, os.WriteFile(done, nil, 0o644)
}

// addTree adds a folder as a build just wrote it: files in order, some hundred
// of them a second.
func addTree(l *layer, dir, under string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	count := 0
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		count++
		h := tar.Header{Name: strings.Trim(under, "/") + "/" + name, Mode: int64(info.Mode().Perm()), ModTime: l.built.Add(time.Duration(count/500) * time.Second)}
		switch {
		case d.IsDir():
			h.Typeflag = tar.TypeDir
			return l.add(h, nil)
		case d.Type() == fs.ModeSymlink:
			h.Typeflag = tar.TypeSymlink
			h.Linkname, err = root.Readlink(name)
			if err != nil {
				return err
			}
			return l.add(h, nil)
		}
		f, err := root.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		h.Typeflag, h.Size = tar.TypeReg, info.Size()
		return l.add(h, f)
	})
}
