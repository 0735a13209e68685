package planner

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
)

// A SignatureQuery asks whether an image of others is signed with one of the
// keys.
type SignatureQuery struct {
	Ref    string        // a registry reference, or oci-layout://PATH…
	Digest digest.Digest // of the manifest or index
	keys   string        // names with line ends between them, so that queries can be compared
}

// Keys are the names of files with public keys.
func (q SignatureQuery) Keys() []string { return strings.Split(q.keys, "\n") }

// Signatures are the answers: nil where the image is signed.
type Signatures map[SignatureQuery]error

// SignatureQueries lists what the policies of the sites want to be signed, each
// once, in a fixed order.
func SignatureQueries(cfg *lang.Config, want *Desired) []SignatureQuery {
	images := make(map[string]*Image)
	for _, i := range want.Images {
		images[i.Address] = i
	}
	all := make(map[SignatureQuery]bool)
	for _, s := range want.Sites {
		from := langSite(cfg, s.Name)
		if from == nil || len(from.Patch.Policy.SignatureKeys) == 0 {
			continue
		}
		for _, f := range foreignOf(images, s) {
			all[signatureQuery(&from.Patch.Policy, f)] = true
		}
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b SignatureQuery) int {
		return cmp.Or(cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.keys, b.keys))
	})
}

func signatureQuery(p *lang.Policy, f foreignImage) SignatureQuery {
	var keys []string
	for _, k := range p.SignatureKeys {
		keys = append(keys, k.Name)
	}
	return SignatureQuery{Ref: f.ref, Digest: f.digest, keys: strings.Join(keys, "\n")}
}
