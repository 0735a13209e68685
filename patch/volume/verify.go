package volume

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/internal/regular"
)

// A Report says what a set is worth.
type Report struct {
	File   string  `json:"file"`   // name of the whole
	Size   int64   `json:"size"`   // of the whole, in bytes
	SHA256 string  `json:"sha256"` // of the whole, as the index has it
	Data   int     `json:"data"`
	Parity int     `json:"parity"`
	States []State `json:"volumes"`
}

// A State is what is known of one volume.
type State struct {
	Name string `json:"name"`           // its usual name
	Path string `json:"path,omitempty"` // of its intact file
	OK   bool   `json:"ok"`
	// Problems are those of all its files; without a file, that it is missing.
	Problems []string `json:"problems,omitempty"`
}

// Lost are the usual names of the volumes that no intact file is there for.
func (r *Report) Lost() []string {
	var out []string
	for _, s := range r.States {
		if !s.OK {
			out = append(out, s.Name)
		}
	}
	return out
}

// Whole tells that every volume is there and that every file of one is intact.
func (r *Report) Whole() bool {
	return !slices.ContainsFunc(r.States, func(s State) bool { return !s.OK || len(s.Problems) > 0 })
}

// Restorable tells that the volumes that are intact restore the file.
func (r *Report) Restorable() bool { return len(r.Lost()) <= r.Parity }

// Err says which volumes are lost, and is nil when the file can be restored.
func (r *Report) Err() error {
	if r.Restorable() {
		return nil
	}
	return lostError(r.Lost(), r.Parity)
}

func lostError(lost []string, parity int) error {
	return fmt.Errorf("%s; there are %d parity volumes to make up for them, so that at least %d of these must be found intact",
		describeLost(lost), parity, len(lost)-parity)
}

// describeLost names lost volumes, some of them where they are many.
func describeLost(lost []string) string {
	const most = 12
	names := strings.Join(lost[:min(most, len(lost))], ", ")
	if len(lost) > most {
		names += fmt.Sprintf(" and %d more", len(lost)-most)
	}
	if len(lost) == 1 {
		return "volume " + names + " is missing or damaged"
	}
	return fmt.Sprintf("%d volumes are missing or damaged: %s", len(lost), names)
}

// Verify reads all volumes of a set and compares their payloads with the
// digests of the index. The error is for what ends the reading as a whole.
func Verify(ctx context.Context, s *Set, o Options) (*Report, error) {
	r := s.report()
	for n := range s.Files {
		if _, err := s.intact(ctx, n, &r.States[n], o.progress()); err != nil {
			return nil, fmt.Errorf("cannot verify the volumes of %q: %w", s.Index.Name, err)
		}
	}
	return r, nil
}

func (s *Set) report() *Report {
	x := s.Index
	r := &Report{File: x.Name, Size: x.Size, SHA256: x.SHA256, Data: x.Data, Parity: x.Parity, States: make([]State, x.Volumes())}
	for n := range r.States {
		r.States[n].Name = x.FileName(n)
		if len(s.Files[n]) == 0 {
			r.States[n].Problems = []string{"missing"}
		}
	}
	return r
}

// intact finds the first file of a volume whose payload has its digest.
func (s *Set) intact(ctx context.Context, n int, state *State, count io.Writer) (bool, error) {
	for _, file := range s.Files[n] {
		err := s.withPayload(file, func(r io.ReaderAt) error {
			digest, err := digestOf(ctx, r, s.Index.payload(n), count)
			return s.compare(n, digest, err)
		})
		if state.add(file, err); context.Cause(ctx) != nil {
			return false, context.Cause(ctx)
		}
		if state.OK {
			return true, nil
		}
	}
	return false, nil
}

// withPayload opens a volume's file for reading its payload, which stands at
// its beginning.
func (s *Set) withPayload(file File, read func(io.ReaderAt) error) error {
	f, _, err := regular.Open(file.Path)
	if err != nil {
		return bare(err)
	}
	defer f.Close()
	return read(f)
}

// compare judges the digest that was read of volume n, or the error of reading.
func (s *Set) compare(n int, digest string, err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("it is truncated: its content alone has %d bytes", s.Index.payload(n))
	case err != nil:
		return bare(err)
	case digest != s.Index.Digests[n]:
		return errors.New("it is damaged: its content has another digest than the index says")
	}
	return nil
}

// add notes what became of one file of the volume.
func (t *State) add(file File, err error) {
	switch {
	case err != nil:
		t.Problems = append(t.Problems, fmt.Sprintf("%q: %v", file.Path, err))
		return
	case file.Err != nil:
		t.Problems = append(t.Problems, fmt.Sprintf("%q: %v; its content is intact", file.Path, file.Err))
	}
	t.OK, t.Path = true, file.Path
}
