package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/flotobuild/flotobuild/patch/volume"
)

// volumesOf gives the volumes that a file or folder is of, or nil.
func volumesOf(name string) *volume.Set {
	if info, err := os.Stat(name); err != nil || !info.IsDir() && !volume.Is(name) {
		return nil
	}
	s, err := volume.Find([]string{name}, nil)
	if err != nil {
		return nil // opening the file says more
	}
	return s
}

// folderOf is the folder that a file is in, and a folder itself.
func folderOf(name string) string {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return name
	}
	return filepath.Dir(name)
}

// verifyVolumes checks each volume of the file, and says whether the file can
// be read from them.
func verifyVolumes(ctx context.Context, v *verification, s *volume.Set) (bool, error) {
	var err error
	if v.Volumes, err = volume.Verify(ctx, s, volume.Options{}); err != nil {
		return false, err
	}
	switch {
	case v.Volumes.Whole():
		return true, nil
	case len(v.Volumes.Lost()) == 0:
		v.Error = fmt.Sprintf("files of the volumes of %q are damaged, and what is left restores it", v.Volumes.File)
		v.Hint = "flotobuild join writes the whole file; what is in it was not checked"
	case v.Volumes.Restorable():
		v.Error = fmt.Sprintf("%d of the volumes of %q are missing or damaged, and the others restore it", len(v.Volumes.Lost()), v.Volumes.File)
		v.Hint = "flotobuild join writes the whole file; what is in it was not checked"
	default:
		v.Error = fmt.Sprintf("%q cannot be restored: %v", v.Volumes.File, v.Volumes.Err())
	}
	return false, nil
}

// showVolumes prints what was found of each volume.
func (a *app) showVolumes(r *volume.Report) {
	lost := len(r.Lost())
	a.ui.printf("  size and digest of %s, %d of them parity: %d intact\n", count(len(r.States), "volume"), r.Parity, len(r.States)-lost)
	for _, s := range r.States {
		for _, p := range s.Problems {
			a.ui.errorf("volume %s: %s", s.Name, p)
		}
	}
	if left := r.Parity - lost; r.Parity > 0 && left >= 0 {
		a.ui.printf("  %s more may be lost\n", count(left, "volume"))
	}
}

// oncePerSet leaves out volumes whose set has been named already, as a shell's
// pattern names all of them.
func oncePerSet(files []string) []string {
	var out []string
	seen := make(map[string]bool)
	for _, file := range files {
		if s := volumesOf(file); s != nil {
			key := s.ID + folderOf(file)
			if seen[key] {
				continue
			}
			seen[key] = true
		}
		out = append(out, file)
	}
	return out
}
