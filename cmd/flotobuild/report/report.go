package report

import "github.com/flotobuild/flotobuild/planner"

// A Report is what people are told of a plan.
type Report struct {
	Tool      string // version of the flotobuild that made the plan
	Revision  string // of the sources; empty without git
	Timestamp string
	// Verdict says why there is nothing to do; empty where there is.
	Verdict  string
	Warnings []string
	// Partial says that the plan is about some sites only; empty where it is
	// about all.
	Partial   string
	Exact     bool
	Variables []Variable
	Lock      []Entry
	LockTitle string
	Sites     []*Site // alike ones folded
	Envelopes []*Envelope
	Volumes   []Entry // that hold images and are written
	Strays    []Entry // outputs that belong to nothing
	Images    []Made
	Diverging []Diverging
	Footer    string // such as "1 patch (0 initial, 1 incremental), 2 images to make."
	Total     string // of all patches; empty where there are none
}

// A Variable is one of the project's, as the plan was made with it.
type Variable struct{ Name, Value, Origin string }

// An Entry is a change in words.
type Entry struct{ Change, Text string }

// A Site is what the next patch of a site holds, or those of several sites that
// are told the same.
type Site struct {
	Members    []Member // sorted by name
	Change     string
	Version    string
	Revision   string
	Attributes []Entry
	Images     []*Image // changed ones
	Anew       []string // images that were built and are the same as before
	Unchanged  []string // images
	Conf       Files
	Manifest   Files
	Envelopes  Files  // folders of devices that change in the patch
	Size       string // of a patch
	SizeMore   string // what is in it
	Policy     []Policy
	Exact      bool
}

// A Member is a site with what it does not share with others.
type Member struct {
	Name    string
	Patch   string // name
	Output  string // folder
	Parents []Parent
	Bytes   int64  // of the patch; an estimate before a build, 0 where it is not known
	Size    string // Bytes in words
}

// A Parent is a patch that the next one applies to.
type Parent struct {
	ID    string
	Bare  bool   // the description alone is at hand
	Lacks string // where there are several
}

// An Image is a changed image of a site.
type Image struct {
	Change string
	Name   string
	Old    string // the parent's, such as "4 layers, 35.5 MB"; empty where it has none
	New    string // what will travel; empty where nothing does
	Note   string // why nothing is made
	Why    []string
	Layers []Layer // after a build
	Reused int     // layers that the parent has, each once
	Bytes  int64   // that travel; an estimate before a build, 0 where it is not known
	Built  bool
}

// A Layer is a layer of a built image.
type Layer struct {
	Change string // create where it travels, else none
	Bytes  int64  // that it takes in a patch
	Text   string // the step, with its place, and whether it is a delta
	Why    string // empty where there is nothing to say
	Again  bool   // another platform of the image has it, too, and stands above
}

// Files are changed files.
type Files struct {
	Counts string // such as "1 new, 2 changed"
	List   []File
}

// A File is one of them.
type File struct {
	Change, Path string
	Size         string // empty where it depends on what is not known
}

// A Policy is a rule with its outcome.
type Policy struct{ Rule, Outcome, Detail string }

// A Made is an image that apply makes, whatever the number of sites.
type Made struct {
	Address string
	Action  string // in words
	Sites   int    // that get it
	Bytes   int64  // that travel, to the site that lacks most
	Size    string // Bytes in words
	Why     []string
	Layers  []Layer // of that site
	Carried bool    // it goes to sites
	For     string  // where it does not: the image that is built on it
}

// A Diverging is an image that sites with different parents share.
type Diverging struct {
	Address string
	Sites   []string // what each has
}

// Changes tells whether some site gets a patch, some device an envelope, or some
// volume an image, and whether outputs are removed.
func Changes(p *planner.Plan) bool {
	if Sealings(p) > 0 || len(volumesOf(p)) > 0 || Removals(p) > 0 {
		return true
	}
	for _, s := range p.Sites {
		if s.Change != planner.ChangeNone {
			return true
		}
	}
	return false
}
