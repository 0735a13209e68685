package facts

import (
	"maps"
	"slices"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/planner"
)

// env holds the variables of FROM lines.
type env map[string]string

// Get implements shell.EnvGetter.
func (e env) Get(key string) (string, bool) {
	v, ok := e[key]
	return v, ok
}

// Keys implements shell.EnvGetter.
func (e env) Keys() []string { return slices.Sorted(maps.Keys(e)) }

// globalArgs returns what FROM lines can refer to: BuildKit's own platform
// arguments and those before the first FROM, with the values of the build.
func (f *dockerfile) globalArgs(lex *shell.Lex, q planner.DockerfileQuery, build string, p ocispec.Platform) (env, error) {
	b, err := platforms.Parse(build)
	if err != nil {
		return nil, err
	}
	args := env{
		"BUILDPLATFORM": platforms.Format(b), "BUILDOS": b.OS, "BUILDOSVERSION": b.OSVersion,
		"BUILDARCH": b.Architecture, "BUILDVARIANT": b.Variant,
		"TARGETPLATFORM": platforms.FormatAll(p), "TARGETOS": p.OS, "TARGETOSVERSION": p.OSVersion,
		"TARGETARCH": p.Architecture, "TARGETVARIANT": p.Variant,
		"TARGETSTAGE": f.targetStage(q.Target),
	}
	for k := range args {
		if v, ok := q.Args[k]; ok {
			args[k] = v
		}
	}
	for _, c := range f.args {
		for _, kp := range c.Args {
			if v, ok := q.Args[kp.Key]; ok {
				args[kp.Key] = v
				continue
			}
			if kp.Value == nil {
				continue
			}
			v, err := lex.ProcessWordWithMatches(*kp.Value, args)
			if err != nil {
				return nil, parser.WithLocation(err, c.Location())
			}
			args[kp.Key] = v.Result
		}
	}
	return args, nil
}

func (f *dockerfile) targetStage(target string) string {
	if target == "" {
		target = f.stages[len(f.stages)-1].Name
	}
	if target == "" {
		return "default"
	}
	return target
}
