package facts

import (
	"io"
	"iter"
	"path"
	"strings"

	"github.com/flotobuild/flotobuild/executor/parent"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// Carried finds the records of sealed envelopes in the parents' patches, as
// planner.Desired.Restore wants them. Of a parent whose description alone is at
// hand, or that lies in a registry, nothing can be taken.
func (w *Workspace) Carried(parents []Parent) func(site, envelope, device string) iter.Seq2[*planner.Sealed, string] {
	read := make(map[string]map[string]*planner.Sealed) // by patch file and folder
	return func(site, envelope, device string) iter.Seq2[*planner.Sealed, string] {
		return func(yield func(*planner.Sealed, string) bool) {
			for _, p := range parents {
				if p.Site != site || p.WithoutLayers || strings.HasPrefix(p.File, parent.Scheme) {
					continue
				}
				if read[p.File] == nil {
					read[p.File] = w.records(p.File)
				}
				if s := read[p.File][path.Join(envelope, device)]; s != nil && !yield(s, p.Description.ID) {
					return
				}
			}
		}
	}
}

// records reads the records of a patch file. What cannot be read is sealed anew.
func (w *Workspace) records(file string) map[string]*planner.Sealed {
	out := make(map[string]*planner.Sealed)
	r, err := w.opener.Open(w.path(file))
	if err != nil {
		return out
	}
	defer r.Close()
	sums := make(map[string]patch.Content)
	for _, c := range r.Description.Flotobuild.Contents {
		sums[c.Path] = c
	}
	for name, c := range sums {
		folder, ok := strings.CutPrefix(name, patch.EnvelopesDir)
		if !ok || path.Base(folder) != planner.SealedFile || c.Size > maxSealed {
			continue
		}
		if s := record(r, name); s != nil && carries(sums, path.Dir(name), s) {
			out[path.Dir(folder)] = s
		}
	}
	return out
}

func record(r *patch.Reader, name string) *planner.Sealed {
	f, err := r.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil
	}
	s, err := planner.DecodeSealed(b)
	if err != nil {
		return nil
	}
	return s
}

// carries says that a patch has the files of a record.
func carries(sums map[string]patch.Content, folder string, s *planner.Sealed) bool {
	for _, f := range s.Files {
		if c := sums[path.Join(folder, f.Path)]; c.SHA256 != f.Digest.Encoded() || c.Size != f.Size {
			return false
		}
	}
	return len(s.Files) > 0
}
