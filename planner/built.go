package planner

import (
	"github.com/flotobuild/flotobuild/patch"
)

// A Built is what building a plan gave: the patches that apply would write, and
// where their layers come from.
type Built struct {
	// Created is the date of the patches, and Epoch says that it is
	// SOURCE_DATE_EPOCH. A site whose parent is younger gets a later one.
	Created patch.Time
	Epoch   bool
	Sites   map[string]BuiltSite // by name; absent where no patch is needed
	// Steps says where the layers of made images come from: by address and
	// platform, in the order of the layers.
	Steps map[string]map[string][]Step
}

// A BuiltSite is the patch that apply would write.
type BuiltSite struct {
	Description *patch.Description
	Size        int64 // bytes of the file
	Volumes     int   // that it is split into; 0 for one file
}

// A Step is what made a layer. Its zero value is an unknown one.
type Step struct {
	Place string // such as images/app/Dockerfile:17
	Text  string // the line there
	// Base says that the layer belongs to an image that this one is built on.
	Base bool
	// Alone says that the layer does not depend on those below it, as COPY
	// --link makes it.
	Alone bool
	// Reads are the inputs of the image that the step reads, named as in its
	// fingerprint. Each may be a pattern, such as "context:*.conf"; what ends
	// with a colon stands for all inputs that begin so.
	Reads []string
}
