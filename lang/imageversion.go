package lang

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/hashicorp/hcl/v2"
)

// A Constraint says which versions of an image may be chosen.
type Constraint struct {
	Text  string // as written
	Range hcl.Range

	set *semver.Constraints
}

// ParseConstraint reads a version constraint, in which ~> means what it does
// elsewhere in HCL.
func ParseConstraint(text string) (*Constraint, error) {
	set, err := parseConstraint(text)
	if err != nil {
		return nil, err
	}
	return &Constraint{Text: text, set: set}, nil
}

// versionTag is the form of tags that are versions: two or three numbers, with
// or without a v. One number alone may as well be a date, a build or a commit.
// Tags cannot hold the plus sign of build metadata, for which Helm and others
// write an underscore.
var versionTag = regexp.MustCompile(`^v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:[+_]([0-9A-Za-z._-]+))?$`)

// maxTag is the length of tags that registries accept.
const maxTag = 128

// An imageTag is a tag that is a version.
type imageTag struct {
	tag     string
	version *semver.Version
	partial bool   // without the third number
	minor   string // the first two numbers
}

func parseTag(tag string) (imageTag, bool) {
	m := versionTag.FindStringSubmatch(tag)
	if m == nil || len(tag) > maxTag {
		return imageTag{}, false
	}
	var n [3]uint64
	for i := range n {
		n[i], _ = strconv.ParseUint(m[i+1], 10, 64) // digits, or empty for zero
	}
	return imageTag{
		tag:     tag,
		version: semver.New(n[0], n[1], n[2], m[4], m[5]),
		partial: m[3] == "",
		minor:   m[1] + "." + m[2],
	}, true
}

// compare orders tags from the oldest to the newest. Of the tags of one version
// the last is that without build metadata, without a v, and last in the
// alphabet; with build metadata, the one with the greatest.
func (t imageTag) compare(o imageTag) int {
	build := func(t imageTag) *semver.Version { return semver.New(0, 0, 0, t.version.Metadata(), "") }
	v := func(t imageTag) int { return strings.Count(t.tag[:1], "v") }
	return cmp.Or(
		t.version.Compare(o.version),
		build(t).Compare(build(o)),
		-cmp.Compare(v(t), v(o)),
		cmp.Compare(t.tag, o.tag),
	)
}

// versionTags returns the tags that are versions, from the oldest to the
// newest. A tag 3.2 is left out where there is a 3.2.1, as it moves along with
// the releases of 3.2; where there is none, it is the version 3.2.0.
func versionTags(tags []string) []imageTag {
	var all []imageTag
	full := make(map[string]bool)
	for _, tag := range tags {
		if t, ok := parseTag(tag); ok {
			all = append(all, t)
			full[t.minor] = full[t.minor] || !t.partial
		}
	}
	all = slices.DeleteFunc(all, func(t imageTag) bool { return t.partial && full[t.minor] })
	slices.SortFunc(all, imageTag.compare)
	return slices.CompactFunc(all, func(a, b imageTag) bool { return a.tag == b.tag })
}

// Allows reports whether a tag is a version that satisfies the constraint.
// Prereleases do only where the constraint names one.
func (c *Constraint) Allows(tag string) bool {
	t, ok := parseTag(tag)
	return ok && c.set.Check(t.version)
}

// Newest returns the tag with the newest version that satisfies the constraint,
// or nothing. It does not depend on the order of the tags.
func (c *Constraint) Newest(tags []string) string {
	all := versionTags(tags)
	for _, t := range slices.Backward(all) {
		if c.set.Check(t.version) {
			return t.tag
		}
	}
	return ""
}

// numbers finds the versions that a constraint names.
var numbers = regexp.MustCompile(`\d{1,9}(\.\d{1,9}){0,2}`)

// Nearest returns the tags with the versions next to the first one that the
// constraint names, from the oldest to the newest: what to offer where none
// satisfies it.
func (c *Constraint) Nearest(tags []string) []string {
	const each = 3
	all := versionTags(tags)
	at := len(all)
	if v, err := semver.NewVersion(numbers.FindString(c.Text)); err == nil {
		at, _ = slices.BinarySearchFunc(all, v, func(t imageTag, v *semver.Version) int { return t.version.Compare(v) })
	}
	var out []string
	for _, t := range all[max(at-each, 0):min(at+each, len(all))] {
		out = append(out, t.tag)
	}
	return out
}
