package lang

import (
	"cmp"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A Config is one evaluated project: every expression is a known value, every
// reference is resolved, and the blocks stand sorted by name.
type Config struct {
	Settings        Settings
	Variables       []*Variable
	ImageSets       []*ImageSet
	RootDefinitions []*RootDefinition
	Sites           []*Site
	Envelopes       []*Envelope
	// Unselected are sites that a selection has taken out of Sites. Load leaves
	// it empty.
	Unselected []*Site
	// UnselectedEnvelopes are envelopes that a selection has taken out of
	// Envelopes.
	UnselectedEnvelopes []*Envelope

	Graph Graph

	// Files holds the parsed sources by the names that ranges use, so that
	// later diagnostics can show their source lines.
	Files map[string]*hcl.File
}

// Settings come from the flotobuild block.
type Settings struct {
	Name            string // of the project; empty when unset
	RequiredVersion string // constraint on the tool; empty when unset
	Engine          Engine
}

// Engine names the build engines; with no hosts the embedded one is used.
type Engine struct {
	Hosts       []string // BuildKit addresses: unix://, tcp://, ssh://, docker-container://, kube-pod://
	Compression string   // zstd (default), gzip or none
	CABundle    string   // file with certificate authorities for RUN steps; empty when unset
}

// A Variable is a declared input with the value that it has in this run.
type Variable struct {
	Name        string
	Type        cty.Type
	Value       cty.Value // marked when Sensitive
	Sensitive   bool
	Description string
	Origin      string   // where the value came from: "default", "FLOTOBUILD_VAR_x", a file name, "-var"
	Files       []string // files of variables that set it, even where another value wins; sorted
	Range       hcl.Range
}

// An ImageSet groups images; root definitions choose from sets.
type ImageSet struct {
	Module string // address of the module that declares it; empty for the project itself
	Name   string
	Images []*Image
	Range  hcl.Range
}

// An Image is made in one of three ways; exactly one of Build, Rootfs and
// Source is set.
type Image struct {
	Module    string // address of the module that declares it; empty for the project itself
	Set, Name string
	Label     string    // the block's label, by which references write it; Name where empty
	Index     string    // ["KEY"] of an instance under for_each, else empty
	Range     hcl.Range // the block's header

	Build  *Build  // a Dockerfile build
	Rootfs *Path   // a flat import: one layer from a tar file, compressed or not
	Source *Source // an image that others made: a registry or an OCI layout

	Platforms []string          // "linux/amd64"; empty means the engine's own
	Labels    map[string]string // added to the image's config; nil when none
}

// Address is the image's unique name in the project, as references write it:
// image_set.SET.image.NAME, with ["KEY"] behind it under for_each and the
// modules' addresses in front.
func (i *Image) Address() string {
	addr := "image_set." + i.Set + ".image." + cmp.Or(i.Label, i.Name) + i.Index
	if i.Module != "" {
		return i.Module + "." + addr
	}
	return addr
}

// A Build describes a Dockerfile build.
type Build struct {
	Context    Path
	Dockerfile string // slash-separated, relative to Context; "Dockerfile" by default
	Target     string
	Args       map[string]string
	Contexts   map[string]Context
	Secrets    map[string]Secret
}

// A Context is one additional named build context. Exactly one field is set.
type Context struct {
	Image *Image // another image of the project
	Dir   *Path  // a folder
	Ref   string // docker-image://REFERENCE
	Range hcl.Range
}

// A Secret is handed to RUN --mount=type=secret steps and never recorded.
// Exactly one of Env and File is set.
type Secret struct {
	Env  string
	File *Path
}

// A Source names an image that is carried as it is.
type Source struct {
	// Ref is a registry reference without scheme, or for OCI layouts
	// oci-layout://PATH[:TAG][@DIGEST] with PATH relative to the project.
	Ref   string
	Range hcl.Range
	// Version chooses the tag; Ref has neither tag nor digest then. Nil where
	// the configuration has no constraint.
	Version *Constraint
}

// A Path is a file or folder: slash-separated, cleaned, and relative to the
// project folder. It starts with "../" or "/" only where the configuration says
// allow_outside = true.
type Path struct {
	Name  string
	Range hcl.Range
}

// A RootDefinition names the file that says which containers run where.
type RootDefinition struct {
	Module    string // address of the module that declares it; empty for the project itself
	Name      string
	File      Path
	ImageSets []*ImageSet
	Conf      Conf
	Range     hcl.Range

	images map[string]*Image // what Images returns, once Load is through with the sets
}

// Images returns the images of all sets by name. Load guarantees that no name
// stands twice. The caller does not change the map.
func (r *RootDefinition) Images() map[string]*Image {
	if r.images != nil {
		return r.images
	}
	m := make(map[string]*Image)
	for _, s := range r.ImageSets {
		for _, i := range s.Images {
			m[i.Name] = i
		}
	}
	return m
}

// Conf selects the files of the project folder that travel in conf/: glob
// patterns as doublestar has them, relative to the project folder. Include is
// {"**"} by default.
type Conf struct {
	Include []string
	Exclude []string
}

// A Site is an insular place that patches go to.
type Site struct {
	Module         string // address of the module that declares it; empty for the project itself
	Name           string
	Label          string // the block's label, by which addresses write it; Name where empty
	Index          string // ["KEY"] of an instance under for_each, else empty
	RootDefinition *RootDefinition
	Vars           map[string]cty.Value
	Containers     []Container // compiled from the root definition for this site, sorted by name
	Needs          []Path      // files and folders of conf/ that the containers mount
	Envelopes      []*Envelope // what travels in the patch, sorted by name
	Patch          Patch
	Range          hcl.Range

	source siteSource
}

// Address is the site's unique name in the project: site.NAME, with ["KEY"]
// behind it under for_each and the modules' addresses in front.
func (s *Site) Address() string {
	addr := "site." + cmp.Or(s.Label, s.Name) + s.Index
	if s.Module != "" {
		return s.Module + "." + addr
	}
	return addr
}

// Images returns the images that the site's containers name, sorted by name,
// each once.
func (s *Site) Images() []*Image {
	all := s.RootDefinition.Images()
	seen := make(map[string]bool)
	var out []*Image
	for _, c := range s.Containers {
		if i := all[c.Image]; i != nil && !seen[c.Image] {
			seen[c.Image] = true
			out = append(out, i)
		}
	}
	sortImages(out)
	return out
}

// A Container is what the language needs of a root definition's container.
type Container struct {
	Name  string
	Image string // a name in the root definition's image sets
	Host  string // empty in Compose files
	Range hcl.Range
}

// A Patch describes the next patch of a site.
type Patch struct {
	Name    string // default: the site's root definition's name
	Version string // semantic version
	Comment string
	Output  Path // default: dist
	Parent  Parent
	// AlsoFrom are further parents that the same patch must apply to.
	AlsoFrom []Parent
	// SignKeys are files of private keys that sign the patch.
	SignKeys []Path
	// Provenance asks for a statement for each image of what it was built from.
	Provenance bool
	// SBOM is the form in which the packages of each image are listed: SPDX, or
	// empty for no list.
	SBOM string
	// Delta is DeltaAuto or DeltaOff.
	Delta string
	// Encrypt is nil for a file that is not encrypted.
	Encrypt *Encryption
	Policy  Policy
	// VolumeSize splits the patch file into volumes of so many bytes at most; 0
	// for one file. Parity is the number of parity volumes beside them.
	VolumeSize int64
	Parity     int
	Range      hcl.Range
}
