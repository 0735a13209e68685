package planner

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"
)

// layoutScheme begins references to OCI layouts.
const layoutScheme = "oci-layout://"

// tagForm is that of tags in OCI layouts, which may hold the build metadata of a
// version.
var tagForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)

// IsLayout says whether a reference names an OCI layout.
func IsLayout(ref string) bool { return strings.HasPrefix(ref, layoutScheme) }

// SplitLayout takes oci-layout://PATH[:TAG][@DIGEST] apart.
func SplitLayout(ref string) (dir, tag string, d digest.Digest, err error) {
	dir, want, pinned := strings.Cut(strings.TrimPrefix(ref, layoutScheme), "@")
	if pinned {
		d = digest.Digest(want)
		if err := d.Validate(); err != nil {
			return "", "", "", fmt.Errorf("cannot parse digest %q: %w", want, err)
		}
	}
	if i := strings.LastIndexByte(dir, ':'); i >= 0 && tagForm.MatchString(dir[i+1:]) {
		dir, tag = dir[:i], dir[i+1:]
	}
	if dir == "" {
		return "", "", "", fmt.Errorf("cannot parse reference %q: no path, the form is %sPATH[:TAG][@DIGEST]", ref, layoutScheme)
	}
	return dir, tag, d, nil
}
