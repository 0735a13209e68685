package planner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/patch"
)

// generated are the files that a patch adds to conf/; they differ with every
// commit and say nothing about the content.
func generated(entry string) bool { return entry == patch.GitDescribe || entry == patch.GitTimestamp }

// oldConf returns the files of the parent's conf/ by path.
func oldConf(parent *patch.Description) map[string]patch.Content {
	old := make(map[string]patch.Content)
	if parent == nil {
		return old
	}
	for _, c := range parent.Flotobuild.Contents {
		path, ok := strings.CutPrefix(c.Path, patch.ConfDir)
		if ok && !generated(c.Path) {
			old[path] = c
		}
	}
	return old
}

// sameFile compares content and mode.
func sameFile(old patch.Content, f File) bool {
	mode := old.Mode
	if mode.IsZero() {
		mode = patch.ModeFile
	}
	hex, _ := strings.CutPrefix(f.Digest.String(), "sha256:")
	return old.SHA256 == hex && old.Size == f.Size && uint32(mode) == f.Mode
}

// diffConf compares the files of conf/ with those that the parent lists; a nil
// parent has none.
func diffConf(parent *patch.Description, want []File) []FileChange {
	return diffFiles(oldConf(parent), want)
}

// diffFiles compares files with the old ones of the same names.
func diffFiles(old map[string]patch.Content, want []File) []FileChange {
	var out []FileChange
	seen := make(map[string]bool, len(want))
	for _, f := range want {
		if seen[f.Path] {
			continue
		}
		seen[f.Path] = true
		c, ok := old[f.Path]
		switch {
		case !ok:
			out = append(out, FileChange{f.Path, ChangeCreate, f.Size})
		case !sameFile(c, f):
			out = append(out, FileChange{f.Path, ChangeUpdate, f.Size})
		}
	}
	for path, c := range old {
		if !seen[path] {
			out = append(out, FileChange{path, ChangeRemove, c.Size})
		}
	}
	slices.SortFunc(out, func(a, b FileChange) int { return cmp.Compare(a.Path, b.Path) })
	return out
}
