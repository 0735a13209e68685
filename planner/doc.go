// Package planner decides what the next patches of the sites hold.
//
// It works in two steps. [Resolve] turns a configuration into a [Desired]: the
// images that the sites need, bases first, with every input pinned by digest.
// [Diff] compares a Desired with the descriptions of the patches that the sites
// have and gives a [Plan], which alone says what apply does.
//
// All that has to be read from the outside comes through [Facts] and is
// complete before Diff starts. The package itself touches neither files nor
// the network, so that the same facts always give the same plan.
//
// # Image actions
//
// An image is made when a site lacks it: its fingerprint or its platforms
// differ from those in the site's parent, or the site has no parent. An image
// that no site lacks but that a made image is built on has [ActionBase]: it is
// built again, which the parent's cache makes cheap, and serves as a context
// only. A site whose [ImageChange] is [ChangeNone] keeps its parent's image,
// byte for byte, whatever the image's action is.
package planner
