package lang

import (
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/zclconf/go-cty/cty"
)

const defaultOutput = "dist"

// A siteDecl is a site block.
type siteDecl struct{ block *block }

func (d *siteDecl) evaluate(f *frame) cty.Value {
	all, _ := f.instances(d.block)
	for _, inst := range all {
		g := f.within(inst)
		d.site(g)
		g.close()
	}
	return cty.DynamicVal
}

// site evaluates one instance.
func (d *siteDecl) site(f *frame) {
	s := &Site{Module: f.scope.address(), Name: f.blockName(d.block), Label: d.block.name(), Index: f.instance.suffix(), Range: d.block.header}
	f.bindSite(cty.StringVal(s.Name))
	f.scope.sites = append(f.scope.sites, s)
	b := f.expand(d.block)
	before := len(f.diags)
	s.Vars = f.siteVars(b)
	s.Envelopes = f.siteEnvelopes(b)
	root := f.rootDefinition(b)
	if root != nil {
		s.RootDefinition = root.result
		root.result.images = root.result.Images()
		s.source = siteSource{addr: f.node.addr + f.instance.suffix(), scope: f.scope, root: root}
		if len(f.diags) == before && root.file != nil {
			f.compiledSite(s, root)
		}
	}
	s.Patch = f.patch(s, b)
	f.preconditions(b)
}

// bindSite makes site.name known to the block's expressions.
func (f *frame) bindSite(name cty.Value) {
	members := map[string]cty.Value{}
	if v, ok := f.ctx.Variables["site"]; ok && v.Type().IsObjectType() {
		members = v.AsValueMap()
	}
	if members == nil {
		members = map[string]cty.Value{}
	}
	members["name"] = name
	f.ctx.Variables["site"] = cty.ObjectVal(members)
}

func (f *frame) siteVars(b *block) map[string]cty.Value {
	vars := f.elements(b, "vars")
	if len(vars) == 0 {
		return nil
	}
	return vars
}

func (f *frame) rootDefinition(b *block) *rootDecl {
	v, ok := f.value(b, "root_definition", cty.DynamicPseudoType)
	if !ok {
		return nil
	}
	addr := addressOf(v)
	root := f.scope.rootDefs[addr]
	if root == nil {
		f.report(failure(b.attrs["root_definition"].Expr.Range(), "Wrong type", "This is no root definition. Write root_definition.NAME."))
	}
	return root
}

// patch evaluates the patch block of a site.
func (f *frame) patch(s *Site, site *block) Patch {
	b := site.only("patch")
	p := Patch{Range: b.header, Output: Path{Name: defaultOutput, Range: b.header}}
	if len(b.attrs) == 0 && len(b.blocks) == 0 && b.header == site.header {
		f.report(failure(site.header, "Missing patch block", "The site %q needs a block patch { version = … }.", s.Name))
		return p
	}
	if s.RootDefinition != nil {
		p.Name = s.RootDefinition.Name
	}
	if v, ok := f.text(b, "name"); ok {
		p.Name = v
		f.checkName("patch", v, b.attrs["name"].Expr.Range())
	}
	p.Version = f.patchVersion(b)
	p.Comment, _ = f.text(b, "comment")
	outside := f.allowOutside(b)
	if v, ok := f.path(b, "output", outside); ok {
		p.Output = *v
	}
	f.parents(&p, b, outside)
	p.SignKeys = f.signKeys(b, outside)
	p.Provenance = f.flag(b, "provenance")
	p.SBOM = f.packageList(b)
	p.Delta = f.delta(b)
	p.Encrypt = f.encryption(b)
	p.Policy = f.policy(b, outside)
	p.VolumeSize = f.size(b, "volume_size")
	p.Parity = f.parity(b, p.VolumeSize)
	return p
}

func (f *frame) patchVersion(b *block) string {
	a := b.attrs["version"]
	v, ok := f.text(b, "version")
	if !ok {
		return ""
	}
	if _, err := semver.StrictNewVersion(v); err != nil {
		remedy := "Write three numbers, such as 2.1.6 or 2.1.6-rc.1."
		if strings.HasPrefix(v, "v") {
			remedy = `Remove the leading v, for instance with trimprefix(…, "v").`
		}
		f.report(at(failure(a.Expr.Range(), "Invalid version", "The patch's version %q is no semantic version. %s", v, remedy), a.Expr, f.ctx))
	}
	return v
}
