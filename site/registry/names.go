package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// activeTag is the tag of the active patch's images.
const activeTag = "active"

// maxTag is the most bytes that a tag has.
const maxTag = 128

// The grammars of the distribution specification.
var (
	validRepository = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	validTag        = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	// foreign is what no component of a repository's name has.
	foreign = regexp.MustCompile(`[^a-z0-9._-]+`)
	// separators are more of them than may stand together, if they are mixed or
	// of a kind that stands alone.
	separators = regexp.MustCompile(`[._-]*[._-][._-]+`)
)

// RepositoryName gives the repository of an image: its name in lower case, with
// "-" for what a registry does not take. Names without a letter or digit of
// ASCII give a part of their digest.
func RepositoryName(image string) string {
	if validRepository.MatchString(image) {
		return image
	}
	name := foreign.ReplaceAllString(strings.ToLower(image), "-")
	name = strings.Trim(separators.ReplaceAllString(name, "-"), "._-")
	if name == "" {
		return "image-" + fingerprint(image)
	}
	return name
}

// repositoryNames gives each image its repository. Images of which several would
// have one repository get a part of their digest behind it, but for the one whose
// name it is.
func repositoryNames(images map[string]bool) map[string]string {
	wanted := make(map[string]int)
	for image := range images {
		wanted[RepositoryName(image)]++
	}
	out := make(map[string]string, len(images))
	for image := range images {
		name := RepositoryName(image)
		if wanted[name] > 1 && name != image {
			name += "-" + fingerprint(image)
		}
		out[image] = name
	}
	return out
}

// tagOf makes a tag of text. "+", which versions have, becomes "_", as for
// charts of Helm.
func tagOf(text string) string {
	if validTag.MatchString(text) {
		return text
	}
	tag := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-':
			return r
		}
		return '_'
	}, text)
	tag = "_"[:leading(tag)] + tag
	if len(tag) > maxTag {
		sum := "-" + fingerprint(text)
		tag = tag[:maxTag-len(sum)] + sum
	}
	return tag
}

// leading is 1 where a tag must not begin as it does.
func leading(tag string) int {
	if strings.HasPrefix(tag, ".") || strings.HasPrefix(tag, "-") {
		return 1
	}
	return 0
}

// fingerprint tells names apart that look the same once they are made to fit.
func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
