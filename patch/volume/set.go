package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/flotobuild/flotobuild/internal/regular"
)

// A Set is the volumes of one file that are at hand.
type Set struct {
	Index *Index
	// ID is the digest of the index, bare hex. Volumes with one ID belong
	// together.
	ID string
	// Files are the files of each volume: data, then parity. There is none
	// where a volume is missing, and several where copies are about. Those whose
	// end is readable come first.
	Files [][]File
}

// A File is one file of a volume.
type File struct {
	Path string
	// Err says what is wrong with the end of the file, which then is known by
	// its name only.
	Err error
}

// A found file is a volume, or has the name of one.
type found struct {
	path string
	*trailer
	err error
}

// ErrNone is the error for files and folders without volumes.
var ErrNone = errors.New("there is no volume")

// A SeveralError says that what was named has volumes of several files.
type SeveralError struct {
	// Volumes are one volume of each file, with what it is of.
	Volumes []string
}

// Error implements error.
func (e *SeveralError) Error() string {
	return "these volumes do not belong together: " + strings.Join(e.Volumes, ", ")
}

// Find gives the set that the files and folders of paths belong to. Further
// volumes are looked for beside the files and in the folders of from. Volumes
// of several sets are refused with a *SeveralError, and so are files that are no
// volumes.
func Find(paths, from []string) (*Set, error) {
	known := make(map[string]*Index)
	var named, beside []found
	folders := slices.Clone(from)
	for _, path := range paths {
		if st, err := os.Stat(path); err == nil && st.IsDir() {
			in, err := scan(path, known)
			if err != nil {
				return nil, err
			}
			named = append(named, readable(in)...)
			folders = append(folders, path)
			continue
		}
		f, err := findFile(path, known)
		if err != nil {
			return nil, err
		}
		named = append(named, f)
		folders = append(folders, filepath.Dir(path))
	}
	if usual := byNames(named, known); usual != nil {
		return usual, nil
	}
	slices.Sort(folders)
	for _, dir := range slices.Compact(folders) {
		in, err := scan(dir, known)
		if err != nil {
			return nil, err
		}
		beside = append(beside, in...)
	}
	s, err := choose(named, beside)
	if err != nil {
		return nil, err
	}
	s.add(named)
	s.add(beside)
	return s, s.checkNamed(named)
}

// byNames gives the set of one volume when all of them stand beside it with
// their usual names, so that a folder of many sets is not searched for each. It
// gives nil otherwise.
func byNames(named []found, known map[string]*Index) *Set {
	if len(named) != 1 || named[0].err != nil {
		return nil
	}
	f := named[0]
	s := &Set{Index: f.index, ID: f.id, Files: make([][]File, f.index.Volumes())}
	for n := range s.Files {
		path := filepath.Join(filepath.Dir(f.path), f.index.FileName(n))
		t, err := readVolume(path, known)
		if err != nil || t.id != s.ID || t.number != n {
			return nil
		}
		s.Files[n] = []File{{Path: path}}
	}
	return s
}

// scan reads the ends of all files in a folder that may be volumes.
func scan(dir string, known map[string]*Index) ([]found, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot look for volumes: %w", err)
	}
	var out []found
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		t, err := readVolume(path, known)
		if err == nil || HasName(path) {
			out = append(out, found{path, t, err})
		}
	}
	return out, nil
}

// findFile reads the end of a file that was named.
func findFile(path string, known map[string]*Index) (found, error) {
	t, err := readVolume(path, known)
	if errors.Is(err, fs.ErrNotExist) || err != nil && !HasName(path) {
		return found{}, fmt.Errorf("cannot read volume %q: %w", path, bare(err))
	}
	return found{path, t, err}, nil
}

// readVolume reads the end of the file at path. The trailer is nil after an
// error.
func readVolume(path string, known map[string]*Index) (*trailer, error) {
	f, st, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := readTrailer(f, st.Size(), known)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Is tells whether a file ends like a volume, or is named like one.
func Is(path string) bool {
	if HasName(path) {
		return true
	}
	f, st, err := regular.Open(path)
	if err != nil || st.Size() < int64(footerSize) {
		return false
	}
	defer f.Close()
	b := make([]byte, footerSize)
	_, err = f.ReadAt(b, st.Size()-int64(footerSize))
	return err == nil && footerPattern.Match(b)
}

func readable(in []found) []found {
	return slices.DeleteFunc(slices.Clone(in), func(f found) bool { return f.err != nil })
}

// choose finds the one set that the named volumes are of. Named files whose end
// cannot be read are of the set beside them that their names fit.
func choose(named, beside []found) (*Set, error) {
	ids := make(map[string]found)
	candidates := readable(named)
	if len(candidates) == 0 && len(named) > 0 {
		for _, f := range readable(beside) {
			if slices.ContainsFunc(named, func(n found) bool { return f.index.numberOf(n.path) >= 0 }) {
				candidates = append(candidates, f)
			}
		}
		if len(candidates) == 0 {
			return nil, fmt.Errorf("cannot use volume %q: %w; no volume beside it tells what it should be", named[0].path, named[0].err)
		}
	}
	var names []string
	for _, f := range candidates {
		if _, ok := ids[f.id]; !ok {
			ids[f.id] = f
			names = append(names, fmt.Sprintf("%q (of %q, %d data and %d parity volumes)", f.path, f.index.Name, f.index.Data, f.index.Parity))
		}
	}
	switch len(names) {
	case 0:
		return nil, ErrNone
	case 1:
		f := candidates[0]
		return &Set{Index: f.index, ID: f.id, Files: make([][]File, f.index.Volumes())}, nil
	}
	return nil, &SeveralError{names}
}

// add takes the files that are of the set: those that say so, and behind them
// those that have the name of a volume and cannot say anything.
func (s *Set) add(in []found) {
	for _, f := range in {
		n := -1
		if f.err == nil && f.id == s.ID {
			n = f.number
		} else if f.err != nil {
			n = s.Index.numberOf(f.path)
		}
		if n < 0 || slices.ContainsFunc(s.Files[n], func(o File) bool { return filepath.Clean(o.Path) == filepath.Clean(f.path) }) {
			continue
		}
		s.Files[n] = append(s.Files[n], File{f.path, f.err})
		slices.SortStableFunc(s.Files[n], func(a, b File) int { return rank(a) - rank(b) })
	}
}

func rank(f File) int {
	if f.Err != nil {
		return 1
	}
	return 0
}

// checkNamed refuses named files that are damaged and fit nowhere in the set.
func (s *Set) checkNamed(named []found) error {
	for _, f := range named {
		if f.err != nil && s.Index.numberOf(f.path) < 0 {
			return fmt.Errorf("cannot use volume %q: %w; by its name it is none of %q", f.path, f.err, s.Index.Name)
		}
	}
	return nil
}

// numberOf is the volume that has the name of path by rights, or -1.
func (x *Index) numberOf(path string) int {
	base := filepath.Base(path)
	suffix, ok := strings.CutPrefix(base, x.Name+".")
	if !ok {
		return -1
	}
	digits, parity := strings.CutPrefix(suffix, "p")
	n, _ := strconv.Atoi(digits)
	if n--; parity {
		n += x.Data
	}
	if n < 0 || n >= x.Volumes() || x.FileName(n) != base {
		return -1
	}
	return n
}

// HasName tells whether a file is named like a volume.
func HasName(path string) bool { return TrimName(path) != path }

// TrimName takes off what makes the name of a volume of the name of its file.
func TrimName(path string) string {
	ext := strings.TrimPrefix(filepath.Ext(path), ".")
	digits := strings.TrimPrefix(ext, "p")
	if len(digits) != 3 || strings.Trim(digits, "0123456789") != "" || digits == "000" {
		return path
	}
	return strings.TrimSuffix(path, "."+ext)
}

// Missing are the usual names of the volumes that no file is there for.
func (s *Set) Missing() []string {
	var out []string
	for n, files := range s.Files {
		if len(files) == 0 {
			out = append(out, s.Index.FileName(n))
		}
	}
	return out
}

// Stored is the number of bytes of the volumes that are at hand.
func (s *Set) Stored() int64 {
	var total int64
	for n, files := range s.Files {
		if len(files) > 0 {
			total += s.Index.FileSize(n)
		}
	}
	return total
}
