package planner

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// ContextKey returns the form in which BuildKit looks up a named context, and
// thus the key of Build.Contexts and Build.Pins: the familiar form of the
// reference without ":latest". "docker.io/library/alpine:latest" and "alpine"
// are the same key.
func ContextKey(name string) (string, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return "", fmt.Errorf("cannot parse reference %q: %w", name, err)
	}
	return strings.TrimSuffix(reference.FamiliarString(named), ":latest"), nil
}

// PinSource returns the two identifiers of a pin: what BuildKit resolves when a
// Dockerfile names key, and what it has to resolve instead. Both have the form
// docker-image://NAME…, as source policies and named contexts use it.
//
// A source policy (CONVERT from to to) is the way to pin. A context override
// (context:KEY) is not, as it would also replace a build stage of that name,
// commands included: FROM golang AS golang.
func PinSource(key string, d digest.Digest) (from, to string, err error) {
	named, err := reference.ParseNormalizedNamed(key)
	if err != nil {
		return "", "", fmt.Errorf("cannot parse reference %q: %w", key, err)
	}
	pinned, err := pin(named, d)
	if err != nil {
		return "", "", err
	}
	return imageScheme + reference.TagNameOnly(named).String(), pinned, nil
}

const imageScheme = "docker-image://"

// pin returns the reference with the digest in place of the tag.
func pin(named reference.Named, d digest.Digest) (string, error) {
	pinned, err := reference.WithDigest(reference.TrimNamed(named), d)
	if err != nil {
		return "", fmt.Errorf("cannot pin reference %q to %q: %w", named, d, err)
	}
	return imageScheme + pinned.String(), nil
}

// pinContext pins docker-image://REFERENCE.
func pinContext(ref string, d digest.Digest) (string, error) {
	named, err := reference.ParseNormalizedNamed(strings.TrimPrefix(ref, imageScheme))
	if err != nil {
		return "", fmt.Errorf("cannot parse reference %q: %w", ref, err)
	}
	return pin(named, d)
}
