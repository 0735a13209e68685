package lang

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Names stand in file names, tags and host names at the sites.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// blockName is the attribute name of a block, else the instance's key under
// for_each, else the label.
func (f *frame) blockName(b *block) string {
	if v, ok := f.text(b, "name"); ok {
		f.checkName(b.kind, v, b.attrs["name"].Expr.Range())
		return v
	}
	name, rng := b.name(), b.header
	if f.instance.repeated {
		name, rng = f.instance.key, b.attrs["for_each"].Expr.Range()
	}
	if b.attrs["name"] == nil {
		f.checkName(b.kind, name, rng)
	}
	return name
}

func (f *frame) checkName(what, name string, rng hcl.Range) {
	if !validName.MatchString(name) {
		f.report(failure(rng, "Invalid name",
			"%q is no name for %s: a name begins with a letter or digit, goes on with letters, digits, dots, - and _, and has 128 characters at most.", name, withArticle(what)))
	}
}

func withArticle(what string) string {
	if strings.HasPrefix(what, "image") || what == "envelope" {
		return "an " + what
	}
	return "a " + what
}
