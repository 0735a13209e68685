package patch

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/flotobuild/flotobuild/patch/crypt"
)

// A patch in volumes is read as one file is, encrypted or not, also with as many
// volumes missing as parity makes up for.
func TestSplit(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	o := Opener{Keys: crypt.Keys{Identities: []crypt.Identity{id}}}
	for name, recipients := range map[string][]crypt.Recipient{"plain": nil, "encrypted": {id.Recipient()}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			noise := make([]byte, 300<<10)
			rand.NewChaCha8([32]byte{}).Read(noise)
			d := s.describe(1, []Image{s.image("control", s.layer("a", string(noise)))})
			w, err := CreateWith(s.dir, d, CreateOptions{Recipients: recipients})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.AddAll(t.Context(), s.open); err != nil {
				t.Fatal(err)
			}
			v := Volumes{Size: 100_000, Parity: 2}
			if err := w.Split(t.Context(), v, nil); err != nil {
				t.Fatal(err)
			}
			want, err := v.Count(filepath.Base(w.Path()), w.Size())
			if err != nil || want != len(w.Paths()) {
				t.Errorf("%d volumes were foretold, and there are %d: %v", want, len(w.Paths()), err)
			}
			if err := w.Publish(); err != nil {
				t.Fatal(err)
			}
			if entries, _ := os.ReadDir(s.dir); len(entries) != want {
				t.Errorf("the folder holds %v", entries)
			}
			checkVolumes(t, o, s.dir, w.Paths(), d.ID)
		})
	}
}

func checkVolumes(t *testing.T, o Opener, dir string, paths []string, id string) {
	t.Helper()
	for range 3 { // whole, one volume missing, two
		r, err := o.Open(paths[2])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(t.Context(), r, VerifyOptions{}); err != nil || r.Lost() != nil {
			t.Error(err, r.Lost())
		}
		r.Close()
		files, err := o.List(dir)
		if err != nil || len(files) != 1 || files[0].Err != nil || files[0].Header.Description.ID != id {
			t.Errorf("%+v, %v", files, err)
		}
		os.Remove(files[0].Path)
	}
	if _, err := o.Open(paths[4]); err == nil {
		t.Error("a patch without its beginning was opened")
	}
}

// Publishing volumes fails as a whole where one name is taken.
func TestSplitTaken(t *testing.T) {
	s := newSite(t)
	d := s.describe(1, []Image{s.image("control", s.layer("a", "a"))})
	w, err := Create(s.dir, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddAll(t.Context(), s.open); err != nil {
		t.Fatal(err)
	}
	if err := w.Split(t.Context(), Volumes{Size: 1 << 20, Parity: 1}, nil); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(w.Paths()[1], []byte("mine"), 0o666)
	if err := w.Publish(); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(s.dir); len(entries) != 1 {
		t.Errorf("the folder holds %v", entries)
	}
}

// One file stays one where it fits on the medium.
func TestVolumesLayout(t *testing.T) {
	for _, c := range []struct {
		v    Volumes
		size int64
		want int
	}{
		{Volumes{}, 1 << 40, 0},
		{Volumes{Size: 1000}, 1000, 0},
		{Volumes{Size: 4000, Parity: 2}, 1000, 3},
		{Volumes{Size: 4000}, 4001, 2},
	} {
		if n, err := c.v.Count("a", c.size); n != c.want || err != nil {
			t.Errorf("%+v of %d bytes: %d volumes, %v", c.v, c.size, n, err)
		}
	}
	if _, err := (Volumes{Size: 10}).Count("a", 1000); err == nil {
		t.Error("impossible volumes were counted")
	}
}
