package executor

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/flotobuild/flotobuild/planner"
)

// A dockerfile is parsed to tell which step made a layer, and of what.
type dockerfile struct {
	stages []instructions.Stage
	lines  []string
	build  *planner.Build
	read   map[int][]string // what stages read, see stageReads
}

// dockerfileSteps lists the instructions that lead to the target stage, the
// last one when it is empty, with those of the stages that it begins from. A
// Dockerfile that cannot be parsed has none: it has been built, so that the
// builder knows more than this.
func dockerfileSteps(text []byte, build *planner.Build) []step {
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil || len(stages) == 0 {
		return nil
	}
	d := &dockerfile{stages: stages, lines: strings.Split(string(text), "\n"), build: build, read: make(map[int][]string)}
	n := len(stages) - 1
	if i, ok := instructions.HasStage(stages, build.Target); ok && build.Target != "" {
		n = i
	}
	return d.steps(n)
}

// steps lists the instructions of a stage, behind those of the stages that it
// begins from.
func (d *dockerfile) steps(n int) []step {
	var steps []step
	args := d.declared(n)
	for _, c := range d.stages[n].Commands {
		args = append(args, declares(c)...)
		loc := c.Location()
		if len(loc) == 0 || loc[0].Start.Line > len(d.lines) {
			continue
		}
		line := loc[0].Start.Line
		steps = append(steps, step{
			keyword: strings.ToUpper(c.Name()), line: line, text: strings.TrimSpace(d.lines[line-1]),
			reads: d.reads(n, c, args), alone: linked(c),
		})
	}
	if before, ok := d.begins(n); ok {
		return append(d.steps(before), steps...)
	}
	return steps
}

// begins gives the stage that a stage begins from.
func (d *dockerfile) begins(n int) (int, bool) {
	return d.stage(d.stages[n].BaseName, n)
}

// stage finds an earlier stage by name or number; a named context takes the
// place of a stage.
func (d *dockerfile) stage(name string, before int) (int, bool) {
	if key, err := planner.ContextKey(name); err == nil {
		if _, replaced := d.build.Contexts[key]; replaced {
			return 0, false
		}
	}
	return instructions.HasStage(d.stages[:before], name)
}

// declared lists the build arguments that a stage begins with.
func (d *dockerfile) declared(n int) []string {
	before, ok := d.begins(n)
	if !ok {
		return nil
	}
	args := d.declared(before)
	for _, c := range d.stages[before].Commands {
		args = append(args, declares(c)...)
	}
	return args
}

func declares(c instructions.Command) []string {
	var names []string
	if a, ok := c.(*instructions.ArgCommand); ok {
		for _, arg := range a.Args {
			names = append(names, "arg:"+arg.Key)
		}
	}
	return names
}

// linked tells whether a layer is made without regard to those below it.
func linked(c instructions.Command) bool {
	switch c := c.(type) {
	case *instructions.CopyCommand:
		return c.Link
	case *instructions.AddCommand:
		return c.Link
	}
	return false
}

// reads gives the inputs of an instruction in stage n, where args are declared.
func (d *dockerfile) reads(n int, c instructions.Command, args []string) []string {
	switch c := c.(type) {
	case *instructions.RunCommand:
		out := slices.Clone(args)
		// Mounts are read when variables are put in; here they stay as they are.
		if c.Expand(func(word string) (string, error) { return word, nil }) != nil {
			return out
		}
		for _, m := range instructions.GetMounts(c) {
			out = append(out, d.mounted(n, m)...)
		}
		return out
	case *instructions.CopyCommand:
		return append(d.used(c, args), d.from(n, c.From, c.SourcePaths)...)
	case *instructions.AddCommand:
		return append(d.used(c, args), d.from(n, "", c.SourcePaths)...)
	}
	return d.used(c, args)
}

// used are the arguments of a command other than RUN: all or, where it names no
// variable, none.
func (d *dockerfile) used(c instructions.Command, args []string) []string {
	for _, loc := range c.Location() {
		for line := loc.Start.Line; line <= loc.End.Line && line <= len(d.lines); line++ {
			if line > 0 && strings.Contains(d.lines[line-1], "$") {
				return slices.Clone(args)
			}
		}
	}
	return nil
}

func (d *dockerfile) mounted(n int, m *instructions.Mount) []string {
	switch {
	case m.Type == instructions.MountTypeSecret:
		return []string{"secret:"}
	case m.Type == instructions.MountTypeBind, m.From != "":
		return d.from(n, m.From, []string{m.Source})
	}
	return nil
}

// from gives the inputs of what is copied from a stage or context, the build
// context where it has no name.
func (d *dockerfile) from(n int, name string, sources []string) []string {
	switch {
	case name == "":
		return files("context", sources)
	case strings.Contains(name, "$"):
		return []string{"image:", "base:", "context-dir:"}
	}
	if i, ok := d.stage(name, n); ok {
		return d.stageReads(i)
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < n {
		return d.stageReads(i)
	}
	key, err := planner.ContextKey(name)
	if err != nil {
		return nil
	}
	return append(files("context-dir:"+key, sources), "image:"+key, "base:"+key)
}

// stageReads gives the inputs of all that a stage does, and of what it begins
// from.
func (d *dockerfile) stageReads(n int) []string {
	if out, ok := d.read[n]; ok {
		return out
	}
	var out []string
	if before, ok := d.begins(n); ok {
		out = append(out, d.stageReads(before)...)
	} else {
		out = append(out, d.from(0, d.stages[n].BaseName, nil)...)
	}
	args := d.declared(n)
	for _, c := range d.stages[n].Commands {
		args = append(args, declares(c)...)
		out = append(out, d.reads(n, c, args)...)
	}
	slices.Sort(out)
	d.read[n] = slices.Compact(out)
	return d.read[n]
}

// files names the entries of a context that hold what is copied; inputs are not
// told apart below them. What a variable names may be any of them.
func files(kind string, sources []string) []string {
	var out []string
	for _, s := range sources {
		top, _, _ := strings.Cut(strings.TrimPrefix(path.Clean("/"+s), "/"), "/")
		if top == "**" || strings.Contains(s, "$") {
			top = ""
		}
		out = append(out, kind+":"+top)
	}
	return out
}
