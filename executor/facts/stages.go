package facts

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/planner"
)

const scratch = "scratch"

// graph relates the stages of a Dockerfile as BuildKit does.
type graph struct {
	contexts []string // keys of named contexts
	stages   []*stage
	byName   map[string]*stage
}

// stage is a build stage, or an image that a command copies or mounts from.
type stage struct {
	base     *stage // nil: image, unless replaced
	image    string // as in FROM, expanded
	replaced bool   // by the named context of the stage's name
	deps     []*stage
	location []parser.Range
	state    int // of collect: 1 visiting, 2 done
}

func (f *dockerfile) graph(q planner.DockerfileQuery, build string, p ocispec.Platform) (*graph, error) {
	lex := shell.NewLex(f.escape)
	args, err := f.globalArgs(lex, q, build, p)
	if err != nil {
		return nil, err
	}
	g := &graph{contexts: q.Contexts, byName: make(map[string]*stage)}
	for n := range f.stages {
		if err := g.add(&f.stages[n], lex, args); err != nil {
			return nil, err
		}
	}
	// Commands come last: they may name a stage by its index.
	for n := range f.stages {
		if g.stages[n].replaced {
			continue
		}
		for _, c := range f.stages[n].Commands {
			if err := g.link(g.stages[n], c); err != nil {
				return nil, parser.WithLocation(err, c.Location())
			}
		}
	}
	return g, nil
}

// add adds the stage of a FROM.
func (g *graph) add(s *instructions.Stage, lex *shell.Lex, args env) error {
	base, err := lex.ProcessWordWithMatches(s.BaseName, args)
	if err != nil {
		return parser.WithLocation(err, s.Location)
	}
	if base.Result == "" {
		return parser.WithLocation(fmt.Errorf("base name (%s) should not be blank", s.BaseName), s.Location)
	}
	if err := checkPlatform(s, lex, args); err != nil {
		return parser.WithLocation(err, s.Location)
	}
	out := &stage{image: base.Result, base: g.byName[base.Result], location: s.Location}
	if s.Name != "" && g.overridden(s.Name) {
		out.base, out.replaced = nil, true
	}
	g.stages = append(g.stages, out)
	if s.Name != "" {
		g.byName[strings.ToLower(s.Name)] = out
	}
	return nil
}

func checkPlatform(s *instructions.Stage, lex *shell.Lex, args env) error {
	if s.Platform == "" {
		return nil
	}
	p, err := lex.ProcessWordWithMatches(s.Platform, args)
	if err != nil {
		return err
	}
	if p.Result == "" {
		return fmt.Errorf("empty platform value from expression %s", s.Platform)
	}
	_, err = platforms.Parse(p.Result)
	return err
}

// link adds what a command takes from other stages and images.
func (g *graph) link(s *stage, c instructions.Command) error {
	switch c := c.(type) {
	case *instructions.CopyCommand:
		if c.From == "" {
			return nil
		}
		src, err := g.copySource(c)
		if err != nil {
			return err
		}
		s.deps = append(s.deps, src)
	case *instructions.RunCommand:
		for _, m := range instructions.GetMounts(c) {
			if m.From != "" {
				s.deps = append(s.deps, g.named(m.From, c.Location()))
			}
		}
	}
	return nil
}

func (g *graph) copySource(c *instructions.CopyCommand) (*stage, error) {
	if strings.Contains(c.From, "$") {
		return nil, errors.New("variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround")
	}
	index, err := strconv.Atoi(c.From)
	if err != nil {
		return g.named(c.From, c.Location()), nil
	}
	if index < 0 || index >= len(g.stages) {
		return nil, fmt.Errorf("invalid stage index %d", index)
	}
	return g.stages[index], nil
}

// named returns the stage of that name, else an image.
func (g *graph) named(name string, location []parser.Range) *stage {
	if s, ok := g.byName[strings.ToLower(name)]; ok {
		return s
	}
	return &stage{image: name, location: location}
}

func (g *graph) overridden(name string) bool {
	key, err := planner.ContextKey(name)
	return err == nil && slices.Contains(g.contexts, key)
}

func (g *graph) target(name string) (*stage, error) {
	if name == "" {
		return g.stages[len(g.stages)-1], nil
	}
	if s, ok := g.byName[strings.ToLower(name)]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("target stage %q could not be found", name)
}

// collect adds the keys of the images that a stage needs.
func (g *graph) collect(s *stage, refs map[string]bool) error {
	switch {
	case s.state == 2 || s.replaced:
		return nil
	case s.state == 1:
		return parser.WithLocation(fmt.Errorf("circular dependency detected on stage: %s", s.image), s.location)
	}
	s.state = 1
	if s.base == nil && s.image != scratch {
		key, err := planner.ContextKey(s.image)
		if err != nil {
			return parser.WithLocation(err, s.location)
		}
		if !slices.Contains(g.contexts, key) {
			refs[key] = true
		}
	}
	for _, d := range append(slices.Clip([]*stage{s.base}), s.deps...) {
		if d == nil {
			continue
		}
		if err := g.collect(d, refs); err != nil {
			return err
		}
	}
	s.state = 2
	return nil
}
