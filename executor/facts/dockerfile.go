package facts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/planner"
)

// Dockerfile implements planner.Facts. BuildKit's own parser reads the file,
// and stages are related to each other by BuildKit's rules. What depends on the
// configuration of base images (ENV, ONBUILD) is seen by the build alone: those
// of the project's own images do not exist before it. For the same reason an
// image that only an ONBUILD trigger names is not pinned.
func (w *Workspace) Dockerfile(_ context.Context, q planner.DockerfileQuery) (*planner.Dockerfile, error) {
	data, err := w.contextText(q.Dir, q.File)
	if err != nil {
		return nil, err
	}
	f, err := parseDockerfile(data)
	if err != nil {
		return nil, located(q.File, err)
	}
	refs := make(map[string]bool)
	for _, name := range q.Platforms {
		p, err := platforms.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("cannot parse platform %q: %w", name, err)
		}
		if err := f.references(q, w.platform, p, refs); err != nil {
			return nil, located(q.File, err)
		}
	}
	return &planner.Dockerfile{
		Digest:     digest.FromBytes(data),
		References: slices.Sorted(maps.Keys(refs)),
	}, nil
}

// dockerfile is a parsed Dockerfile.
type dockerfile struct {
	escape rune
	args   []instructions.ArgCommand // before the first FROM
	stages []instructions.Stage
}

func parseDockerfile(data []byte) (*dockerfile, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("the Dockerfile is empty")
	}
	ast, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	stages, args, err := instructions.Parse(ast.AST, nil)
	if err != nil {
		return nil, err
	}
	if len(stages) == 0 {
		return nil, errors.New("the Dockerfile has no FROM")
	}
	return &dockerfile{escape: ast.EscapeToken, args: args, stages: stages}, nil
}

// references adds the keys of the images that a target needs on a platform.
func (f *dockerfile) references(q planner.DockerfileQuery, build string, p ocispec.Platform, refs map[string]bool) error {
	g, err := f.graph(q, build, p)
	if err != nil {
		return err
	}
	target, err := g.target(q.Target)
	if err != nil {
		return err
	}
	return g.collect(target, refs)
}

// located gives an error of BuildKit's parser its place.
func located(file string, err error) error {
	out := &planner.SourceError{File: file, Err: err}
	var l *parser.LocationError
	if errors.As(err, &l) && len(l.Locations) > 0 && len(l.Locations[0]) > 0 {
		out.Line = l.Locations[0][0].Start.Line
	}
	return out
}
