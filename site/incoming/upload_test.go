package incoming

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const patchName = "2026-03-01-plant.north.floto-patch.zip"

func folder(t *testing.T) *Folder {
	t.Helper()
	f, err := Open(filepath.Join(t.TempDir(), "incoming"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func begin(t *testing.T, f *Folder, name string, size int64) *Upload {
	t.Helper()
	u, err := f.Begin(name, size, "ada")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUpload(t *testing.T) {
	f := folder(t)
	u := begin(t, f, patchName, 10)
	broken := io.MultiReader(strings.NewReader("0123"), iotest.ErrReader(errors.New("the line is cut")))
	got, err := f.Append(t.Context(), u.ID, 0, broken)
	if err == nil || got.Offset != 4 {
		t.Fatalf("a cut line leaves %+v, %v", got, err)
	}
	if got, err := f.Append(t.Context(), u.ID, 0, strings.NewReader("0123456789")); !errors.Is(err, ErrOffset) || got.Offset != 4 {
		t.Errorf("the wrong offset gives %+v, %v", got, err)
	}
	if files, err := f.Files(); err != nil || len(files) != 0 {
		t.Errorf("half a file shows: %v, %v", files, err)
	}
	again, err := Open(f.Dir(), time.Hour) // after a restart
	if err != nil {
		t.Fatal(err)
	}
	if u, err = again.Upload(u.ID); err != nil || u.Offset != 4 || u.By != "ada" || u.Name != patchName {
		t.Fatalf("after a restart there is %+v, %v", u, err)
	}
	if got, err := again.Append(t.Context(), u.ID, 4, strings.NewReader("456789+")); !errors.Is(err, ErrLong) || got.Offset != 4 {
		t.Errorf("more than was announced gives %+v, %v", got, err)
	}
	if got, err := again.Append(t.Context(), u.ID, 4, strings.NewReader("456789")); err != nil || got.Offset != 10 {
		t.Fatalf("the rest gives %+v, %v", got, err)
	}
	file, err := again.File(patchName)
	if err != nil || file.Size != 10 {
		t.Fatalf("the file is %+v, %v", file, err)
	}
	if b, err := os.ReadFile(file.Path); err != nil || string(b) != "0123456789" {
		t.Errorf("the file has %q, %v", b, err)
	}
	if _, err := again.Upload(u.ID); !errors.Is(err, ErrUnknown) {
		t.Errorf("the upload is still there: %v", err)
	}
	if _, err := again.Begin(patchName, 1, "bob"); !errors.Is(err, ErrExists) {
		t.Errorf("a second file of the name: %v", err)
	}
	if err := again.Discard(file); err != nil {
		t.Fatal(err)
	}
	if _, err := again.File(patchName); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a discarded file: %v", err)
	}
	if entries, _ := os.ReadDir(f.Dir()); len(entries) != 0 {
		t.Errorf("something is left: %v", entries)
	}
}

func TestRefusals(t *testing.T) {
	f := folder(t)
	for _, name := range []string{
		"", "a.zip", "../" + patchName, "/" + patchName, `a\` + patchName, "." + patchName, "a\n" + patchName, "a\u202e" + patchName,
		strings.Repeat("a", 200) + patchName, patchName + ".000", patchName + ".1", "x.001", "\xff" + patchName,
	} {
		if _, err := f.Begin(name, 1, "ada"); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, size := range []int64{0, -1} {
		if _, err := f.Begin(patchName, size, "ada"); err == nil {
			t.Errorf("%d bytes are taken", size)
		}
	}
	if _, err := f.Begin(patchName, 1<<62, "ada"); !errors.Is(err, ErrSpace) {
		t.Errorf("more than the disk has: %v", err)
	}
	free, err := f.Free()
	if err != nil {
		t.Fatal(err)
	}
	begin(t, f, patchName, free*2/3)
	if _, err := f.Begin("b"+patchName, free*2/3, "ada"); !errors.Is(err, ErrSpace) {
		t.Errorf("space that another upload needs: %v", err)
	}
	for _, id := range []string{"", "x", "../../etc/passwd", strings.Repeat("a", 26)} {
		if _, err := f.Upload(id); !errors.Is(err, ErrUnknown) {
			t.Errorf("upload %q: %v", id, err)
		}
		if _, err := f.Append(t.Context(), id, 0, strings.NewReader("x")); !errors.Is(err, ErrUnknown) {
			t.Errorf("append to %q: %v", id, err)
		}
	}
	if err := f.Remove("../x"); !errors.Is(err, ErrUnknown) {
		t.Errorf("remove: %v", err)
	}
}

func TestBusy(t *testing.T) {
	f := folder(t)
	u := begin(t, f, patchName, 10)
	r, w := io.Pipe()
	ended := make(chan error)
	go func() {
		_, err := f.Append(t.Context(), u.ID, 0, r)
		ended <- err
	}()
	w.Write([]byte("01"))
	for got := (&Upload{}); got.Offset < 2; {
		var err error
		if got, err = f.Upload(u.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Append(t.Context(), u.ID, 2, strings.NewReader("x")); !errors.Is(err, ErrBusy) {
		t.Errorf("two at once: %v", err)
	}
	other, err := Open(f.Dir(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Append(t.Context(), u.ID, 2, strings.NewReader("x")); !errors.Is(err, ErrBusy) {
		t.Errorf("two processes at once: %v", err)
	}
	if err := f.Remove(u.ID); !errors.Is(err, ErrBusy) {
		t.Errorf("remove meanwhile: %v", err)
	}
	w.CloseWithError(io.ErrUnexpectedEOF)
	if err := <-ended; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the server stops"))
	if got, err := f.Append(ctx, u.ID, 2, strings.NewReader("x")); err == nil || got.Offset != 2 {
		t.Errorf("a cancelled upload gives %+v, %v", got, err)
	}
	if err := f.Remove(u.ID); err != nil {
		t.Error(err)
	}
}

func TestExpiry(t *testing.T) {
	f := folder(t)
	old, young := begin(t, f, patchName, 10), begin(t, f, "b"+patchName, 10)
	past := time.Now().Add(-48 * time.Hour)
	os.Chtimes(f.path(old.ID, partSuffix), past, past)
	orphan := f.path(strings.Repeat("a", 26), partSuffix)
	os.WriteFile(orphan, nil, 0o600)
	os.Chtimes(orphan, past, past)
	mine := filepath.Join(f.Dir(), "notes.txt")
	os.WriteFile(mine, nil, 0o600)
	f, err := Open(f.Dir(), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if uploads, err := f.Uploads(); err != nil || len(uploads) != 1 || uploads[0].ID != young.ID {
		t.Errorf("uploads are %+v, %v", uploads, err)
	}
	if _, err := os.Stat(orphan); !errors.Is(err, fs.ErrNotExist) {
		t.Error("half of an upload stays")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error("a file of somebody else's is gone")
	}
}

// TestCrash checks that an upload that was killed between its last two steps
// ends as it should.
func TestCrash(t *testing.T) {
	f := folder(t)
	u := begin(t, f, patchName, 3)
	os.WriteFile(f.path(u.ID, partSuffix), []byte("abc"), 0o600)
	os.Link(f.path(u.ID, partSuffix), filepath.Join(f.Dir(), patchName))
	if _, err := f.Append(t.Context(), u.ID, 3, strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	if uploads, _ := f.Uploads(); len(uploads) != 0 {
		t.Errorf("the upload is still there: %+v", uploads)
	}
	damaged := begin(t, f, "b"+patchName, 3)
	os.WriteFile(f.path(damaged.ID, infoSuffix), []byte("{"), 0o600)
	if _, err := f.Upload(damaged.ID); err == nil || errors.Is(err, ErrUnknown) {
		t.Errorf("a damaged upload: %v", err)
	}
}

func TestVolumes(t *testing.T) {
	f := folder(t)
	for _, name := range []string{patchName + ".001", patchName + ".002", patchName + ".p01", patchName + ".p001", "x" + patchName, "notes.txt"} {
		os.WriteFile(filepath.Join(f.Dir(), name), []byte("abc"), 0o600)
	}
	os.Mkdir(filepath.Join(f.Dir(), "y"+patchName), 0o700)
	files, err := f.Files()
	if err != nil || len(files) != 2 || files[0].Volumes != 3 || files[0].Size != 9 || files[0].Name != patchName || filepath.Base(files[0].Path) != patchName+".001" {
		t.Fatalf("files are %+v, %v", files, err)
	}
	if err := f.Discard(&files[0]); err != nil {
		t.Fatal(err)
	}
	if files, _ := f.Files(); len(files) != 1 {
		t.Errorf("volumes are left: %+v", files)
	}
}

// Another process has added to the upload after this one looked where it is:
// nothing is written behind that.
func TestAppendBehindAnother(t *testing.T) {
	f := folder(t)
	u := begin(t, f, patchName, 10)
	other, err := Open(f.Dir(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Append(t.Context(), u.ID, 0, strings.NewReader("0123")); err != nil {
		t.Fatal(err)
	}
	if err := f.append(t.Context(), u, strings.NewReader("0123")); !errors.Is(err, ErrOffset) || u.Offset != 4 {
		t.Errorf("got %v at %d", err, u.Offset)
	}
	if got, err := f.Upload(u.ID); err != nil || got.Offset != 4 {
		t.Errorf("the upload is %+v, %v", got, err)
	}
}

// A server that was killed with all bytes there, and before the file had its
// name, gives it that when it starts again.
func TestCompleteAfterCrash(t *testing.T) {
	for name, taken := range map[string]string{"free": "", "taken": "other"} {
		t.Run(name, func(t *testing.T) {
			f := folder(t)
			u := begin(t, f, patchName, 10)
			if err := os.WriteFile(f.path(u.ID, partSuffix), []byte("0123456789"), 0o600); err != nil {
				t.Fatal(err)
			}
			want := "0123456789"
			if taken != "" {
				want = taken
				if err := os.WriteFile(filepath.Join(f.Dir(), patchName), []byte(taken), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			again, err := Open(f.Dir(), time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(filepath.Join(f.Dir(), patchName)); err != nil || string(b) != want {
				t.Errorf("the file has %q, %v", b, err)
			}
			if _, err := again.Upload(u.ID); errors.Is(err, ErrUnknown) != (taken == "") {
				t.Errorf("the upload: %v", err)
			}
		})
	}
}
