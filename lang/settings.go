package lang

import (
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

const defaultCompression = "zstd"

var (
	compressions  = []string{"zstd", "gzip", "none"}
	engineSchemes = []string{"unix", "tcp", "ssh", "docker-container", "kube-pod", "podman-container", "nerdctl-container"}
)

// A settingsDecl is the flotobuild block.
type settingsDecl struct{ block *block }

func (d *settingsDecl) evaluate(f *frame) cty.Value {
	s := &f.scope.settings
	b := f.expand(d.block)
	s.RequiredVersion = f.requiredVersion(b)
	if v, ok := f.text(b, "name"); ok {
		s.Name = v
		f.checkName("project", v, b.attrs["name"].Expr.Range())
	}
	if f.scope.call != nil && len(b.blocks) > 0 {
		f.report(failure(b.blocks[0].header, "Engine in a module", "The build engine belongs to the project, not to a module. Move the block into the project's block flotobuild."))
	}
	e := b.only("engine")
	if hosts, ok := f.texts(e, "hosts"); ok {
		s.Engine.Hosts = hosts
		f.checkHosts(e.attrs["hosts"], hosts)
	}
	if c, ok := f.text(e, "compression"); ok {
		s.Engine.Compression = c
		if !slices.Contains(compressions, c) {
			f.report(failure(e.attrs["compression"].Expr.Range(), "Invalid compression",
				"%q is no compression: write one of %s.%s", c, strings.Join(compressions, ", "), didYouMean(c, compressions)))
		}
	}
	if p, ok := f.path(e, "ca_bundle", true); ok {
		s.Engine.CABundle = p.Name
	}
	return cty.DynamicVal
}

// requiredVersion checks the constraint on the tool, whose prerelease and build
// parts do not count: a prerelease has what its release will have.
func (f *frame) requiredVersion(b *block) string {
	text, ok := f.text(b, "required_version")
	if !ok {
		return ""
	}
	rng := b.attrs["required_version"].Expr.Range()
	c, err := parseConstraint(text)
	if err != nil {
		f.report(failure(rng, "Invalid version constraint", "The constraint %q cannot be read: %s.", text, err))
		return text
	}
	tool, err := semver.NewVersion(f.scope.project.opts.ToolVersion)
	if err != nil {
		return text
	}
	if !c.Check(semver.New(tool.Major(), tool.Minor(), tool.Patch(), "", "")) {
		f.report(failure(rng, "Unsupported version of flotobuild",
			"The project requires flotobuild %s, and this is %s. Use a version that satisfies the constraint, or change it.", text, tool.Original()))
	}
	return text
}

func (f *frame) checkHosts(a *hcl.Attribute, hosts []string) {
	for i, h := range hosts {
		scheme, rest, ok := strings.Cut(h, "://")
		if !ok || rest == "" || !slices.Contains(engineSchemes, scheme) {
			f.report(failure(itemRange(a.Expr, i), "Invalid engine address",
				"%q is no BuildKit address. Write SCHEME://ADDRESS with one of the schemes %s.%s", h, strings.Join(engineSchemes, ", "), didYouMean(scheme, engineSchemes)))
		}
	}
}
