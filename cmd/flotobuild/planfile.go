package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

// checkOut refuses a file to write whose folder is not there, or that holds
// something else, before any work is done.
func checkOut(flag, name string, ours func(head []byte) bool) error {
	dir := filepath.Dir(name)
	if err := isFolder(dir); err != nil {
		return fmt.Errorf("cannot write the file that -%s names: %w", flag, err)
	}
	f, _, err := regular.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, regular.ErrNot):
		return fmt.Errorf("cannot write %q, which -%s names: %w", name, flag, err)
	case err != nil:
		return fmt.Errorf("cannot replace the file that -%s names: %w", flag, err)
	}
	defer f.Close()
	head := make([]byte, 256)
	n, err := io.ReadFull(f, head)
	if n > 0 && !ours(head[:n]) {
		return &hintError{
			fmt.Errorf("cannot write %q, which -%s names: a file of another kind is there", name, flag),
			"name another file, or remove this one",
		}
	}
	if err != nil && n == 0 && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot replace the file that -%s names: %w", flag, err)
	}
	return nil
}

// sameTarget says whether two paths are one file, through whatever links.
func sameTarget(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return a == b || errX == nil && errY == nil && os.SameFile(x, y)
}

// savePlan writes a plan file. It may hold what build arguments and variables
// hold, and is for its owner's eyes.
func savePlan(name string, plan *planner.Plan, vars []*lang.Variable) error {
	b, err := planner.EncodeFile(plan, planVariables(vars))
	if err != nil {
		return err
	}
	if err := replaceFile(name, b, 0o600); err != nil {
		return fmt.Errorf("cannot save the plan: %w", err)
	}
	return nil
}

// replaceFile writes a file as a whole, and removes what killed writers have
// left beside it.
func replaceFile(name string, data []byte, perm fs.FileMode) error {
	if _, err := atomicfile.Sweep(filepath.Dir(name)); err != nil {
		return err
	}
	return atomicfile.WriteFile(name, data, perm)
}

func planVariables(vars []*lang.Variable) []planner.PlanVariable {
	var out []planner.PlanVariable
	for _, v := range vars {
		p := planner.PlanVariable{Name: v.Name, Origin: v.Origin, Sensitive: v.Sensitive}
		if !v.Sensitive {
			p.Value = v.Text()
		}
		out = append(out, p)
	}
	return out
}

// openPlan reads a plan file.
func openPlan(name string) (*planner.PlanFile, error) {
	p, err := readPlan(name)
	if err == nil {
		return p, nil
	}
	err = fmt.Errorf("cannot read the plan %q: %w", name, err)
	var not *planner.NotPlanError
	if errors.As(err, &not) || errors.Is(err, regular.ErrNot) {
		return nil, &hintError{err, "a saved plan is made by: flotobuild plan -out=FILE"}
	}
	return nil, err
}

func readPlan(name string) (*planner.PlanFile, error) {
	f, _, err := regular.Open(name)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	return planner.DecodeFile(f)
}

// bare takes the path off an error that names it again.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// looksLikePlan tells a plan file from a patch by its first bytes.
func looksLikePlan(name string) bool {
	f, _, err := regular.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := io.ReadFull(f, head) // a short file is as good
	return planner.LooksLikePlan(head[:n])
}
