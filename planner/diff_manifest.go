package planner

import (
	"strings"

	"github.com/flotobuild/flotobuild/patch"
)

// diffManifest compares the manifest and the documents with those that the
// parent lists. Both are rendered for the parent, so that a difference comes
// from the configuration.
func diffManifest(parent *patch.Description, want []File) []FileChange {
	old := make(map[string]patch.Content)
	if parent != nil {
		for _, c := range parent.Flotobuild.Contents {
			if IsManifest(c.Path) {
				old[c.Path] = c
			}
		}
	}
	return diffFiles(old, want)
}

// IsManifest tells the entries of a patch that come from its root definition.
func IsManifest(entry string) bool {
	return strings.HasPrefix(entry, patch.ManifestDir) || strings.HasPrefix(entry, patch.DocumentsDir)
}
