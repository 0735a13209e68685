package lang

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"net/url"
	"unicode/utf8"

	"github.com/Masterminds/semver/v3"
	"github.com/google/uuid"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// digestFunctions hash and encode strings.
func digestFunctions() map[string]function.Function {
	return map[string]function.Function{
		"base64decode": base64decodeFunc,
		"base64encode": textFunc("str", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"md5":          hashFunc(md5.New),
		"sha1":         hashFunc(sha1.New),
		"sha256":       hashFunc(sha256.New),
		"sha512":       hashFunc(sha512.New),
		"urlencode":    textFunc("str", url.QueryEscape),
	}
}

// hashFunc makes a function that gives a string's hash in hexadecimal.
func hashFunc(newHash func() hash.Hash) function.Function {
	return textFunc("str", func(s string) string {
		h := newHash()
		h.Write([]byte(s)) // a hash's Write never fails
		return hex.EncodeToString(h.Sum(nil))
	})
}

var base64decodeFunc = function.New(&function.Spec{
	Params: textParams("str"),
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		b, err := base64.StdEncoding.DecodeString(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "this is no base64: %s", err)
		}
		if !utf8.Valid(b) {
			return cty.NilVal, function.NewArgErrorf(0, "the decoded bytes are no UTF-8, and strings cannot hold them")
		}
		return cty.StringVal(string(b)), nil
	},
})

// uuidNamespaces are the namespaces of RFC 4122 by the names that uuidv5 takes.
var uuidNamespaces = map[string]uuid.UUID{
	"dns":  uuid.NameSpaceDNS,
	"url":  uuid.NameSpaceURL,
	"oid":  uuid.NameSpaceOID,
	"x500": uuid.NameSpaceX500,
}

var uuidv5Func = function.New(&function.Spec{
	Params: textParams("namespace", "name"),
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		space, ok := uuidNamespaces[args[0].AsString()]
		if !ok {
			var err error
			if space, err = uuid.Parse(args[0].AsString()); err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "write dns, url, oid, x500 or a UUID")
			}
		}
		return cty.StringVal(uuid.NewSHA1(space, []byte(args[1].AsString())).String()), nil
	},
})

var semverType = cty.Object(map[string]cty.Type{
	"version":    cty.String,
	"major":      cty.Number,
	"minor":      cty.Number,
	"patch":      cty.Number,
	"prerelease": cty.String,
	"build":      cty.String,
})

// semverFunc takes a semantic version apart, and fails on anything else.
var semverFunc = function.New(&function.Spec{
	Params: textParams("version"),
	Type:   function.StaticReturnType(semverType),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, err := semver.StrictNewVersion(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "this is no semantic version such as 2.1.6")
		}
		return cty.ObjectVal(map[string]cty.Value{
			"version":    cty.StringVal(v.String()),
			"major":      cty.NumberUIntVal(v.Major()),
			"minor":      cty.NumberUIntVal(v.Minor()),
			"patch":      cty.NumberUIntVal(v.Patch()),
			"prerelease": cty.StringVal(v.Prerelease()),
			"build":      cty.StringVal(v.Metadata()),
		}), nil
	},
})

// semverMatchFunc tests a version against a constraint.
var semverMatchFunc = function.New(&function.Spec{
	Params: textParams("version", "constraint"),
	Type:   function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, err := semver.StrictNewVersion(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "this is no semantic version such as 2.1.6")
		}
		c, err := parseConstraint(args[1].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(1, errors.New("the constraint cannot be read: "+err.Error()))
		}
		return cty.BoolVal(c.Check(v)), nil
	},
})
