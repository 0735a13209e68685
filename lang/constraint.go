package lang

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

var pessimistic = regexp.MustCompile(`~>\s*v?(\d+)((?:\.\d+)*)(-[0-9A-Za-z.-]+)?`)

// parseConstraint reads a version constraint as Masterminds/semver does, except
// that ~> has the meaning that it has elsewhere in HCL: the last part given may
// grow. ~> 3.2 is >= 3.2, < 4.0 and ~> 3.2.1 is >= 3.2.1, < 3.3.
func parseConstraint(text string) (*semver.Constraints, error) {
	if len(text) > 256 {
		return nil, errors.New("it is longer than 256 characters")
	}
	var failed error
	translated := pessimistic.ReplaceAllStringFunc(text, func(m string) string {
		out, err := translatePessimistic(pessimistic.FindStringSubmatch(m))
		if err != nil && failed == nil {
			failed = err
		}
		return out
	})
	if failed != nil {
		return nil, failed
	}
	if strings.Contains(translated, "~>") {
		return nil, errors.New("~> needs a version, such as ~> 3.2")
	}
	return semver.NewConstraint(translated)
}

// translatePessimistic writes ~> as a lower and an upper bound; m are the major
// part, the further parts and the prerelease.
func translatePessimistic(m []string) (string, error) {
	major, err := strconv.ParseUint(m[1], 10, 32)
	if err != nil {
		return "", err
	}
	parts := strings.Split(strings.TrimPrefix(m[2], "."), ".")
	upper := fmt.Sprintf("%d.0.0", major+1)
	switch {
	case m[2] == "":
		return "", fmt.Errorf("~> %s is ambiguous: write ~> %s.0 for < %d, or >= %s", m[1], m[1], major+1, m[1])
	case len(parts) > 2:
		return "", errors.New("a version has three parts at most")
	case len(parts) == 2:
		minor, err := strconv.ParseUint(parts[0], 10, 32)
		if err != nil {
			return "", err
		}
		upper = fmt.Sprintf("%d.%d.0", major, minor+1)
	}
	if m[3] != "" {
		// Masterminds lets prereleases through only where every bound has one.
		upper += "-0"
	}
	return fmt.Sprintf(">=%s%s%s, <%s", m[1], m[2], m[3], upper), nil
}
