package patch

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/store"
)

// encryptedSite writes an initial patch twice, plain and encrypted.
func encryptedSite(t testing.TB) (s *site, plain, encrypted string, o Opener) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	s = newSite(t)
	noise := make([]byte, 300<<10) // chunks enough
	rand.NewChaCha8([32]byte{}).Read(noise)
	layer := s.layer("a", string(noise))
	d := s.describe(1, []Image{s.image("control", layer, s.layer("b", "b"))})
	recipients := []crypt.Recipient{id.Recipient()}
	w, err := CreateWith(s.dir, d, CreateOptions{Recipients: recipients})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddAll(t.Context(), s.open); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.Stored(); ok {
		t.Error("another patch would copy what is encrypted")
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	want, err := crypt.EncryptedSize(w.off, recipients)
	if err != nil || want != w.Size() {
		t.Errorf("%d bytes were foretold, and it has %d: %v", want, w.Size(), err)
	}
	if err := w.Publish(); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(w.Path()); err != nil || st.Size() != want {
		t.Errorf("the file does not have the %d bytes foretold: %v", want, err)
	}
	return s, s.write(d), w.Path(), Opener{Keys: crypt.Keys{Identities: []crypt.Identity{id}}}
}

func TestEncrypted(t *testing.T) {
	s, plain, encrypted, o := encryptedSite(t)
	if encrypted != plain+".age" {
		t.Errorf("it is called %q", encrypted)
	}
	p, err := Open(plain)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	e, err := o.Open(encrypted)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if p.Digest != e.Digest || p.Size() != e.Size() || strings.Join(e.Recipients(), " ") != "X25519" || p.Recipients() != nil {
		t.Errorf("%s and %s, %q", p.Digest, e.Digest, e.Recipients())
	}
	want, got := make([]byte, p.Size()), make([]byte, e.Size())
	p.r.ReadAt(want, 0)
	if e.r.ReadAt(got, 0); !bytes.Equal(want, got) {
		t.Error("the decrypted file is not the plain one")
	}
	if r, err := Verify(t.Context(), e, VerifyOptions{}); err != nil || r.Entries == 0 {
		t.Error(err)
	}
	if _, err := store.ReadBlob(t.Context(), e, e.Description.Flotobuild.Images[0].Descriptor); err != nil {
		t.Error(err)
	}
	raw, _ := os.ReadFile(encrypted)
	for _, text := range []string{VersionText, "conf/plant.hcl", "a plant has valves"} {
		if bytes.Contains(raw, []byte(text)) {
			t.Errorf("the encrypted file shows %q", text)
		}
	}
	if files, _ := os.ReadDir(s.dir); len(files) != 2 {
		t.Errorf("the folder holds %v", files)
	}
}

func TestEncryptedWithoutKey(t *testing.T) {
	_, plain, encrypted, o := encryptedSite(t)
	if _, err := Open(encrypted); !errors.As(err, new(*crypt.IdentityError)) || !strings.Contains(err.Error(), encrypted) {
		t.Errorf("got %v", err)
	}
	files, err := List(filepath.Dir(plain))
	if err != nil || len(files) != 2 || files[0].Path != plain || !errors.As(files[1].Err, new(*crypt.IdentityError)) {
		t.Errorf("without key: %+v, %v", files, err)
	}
	files, err = o.List(filepath.Dir(plain))
	if err != nil || len(files) != 2 || files[1].Err != nil || files[0].Header.Digest != files[1].Header.Digest {
		t.Errorf("with key: %+v, %v", files, err)
	}
	if best := Latest(files, "north"); best == nil || best.Path != plain {
		t.Errorf("the plain file is read quicker, and %+v was chosen", best)
	}
}

// Every flipped bit and every cut shows when the file is verified.
func TestEncryptedDamage(t *testing.T) {
	_, _, encrypted, o := encryptedSite(t)
	raw, err := os.ReadFile(encrypted)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged")
	refused := func(b []byte) bool {
		os.WriteFile(damaged, b, 0o644)
		r, err := o.Open(damaged)
		if err != nil {
			return true
		}
		defer r.Close()
		_, err = Verify(t.Context(), r, VerifyOptions{})
		return err != nil
	}
	if refused(raw) {
		t.Fatal("the whole file is refused")
	}
	for at := 0; at < len(raw); at += 1 + len(raw)/200 {
		b := bytes.Clone(raw)
		if b[at] ^= 0x10; !refused(b) {
			t.Errorf("a change at byte %d was not seen", at)
		}
	}
	const sealed = 64<<10 + 16
	for n := len(raw) - 1; n > 0; n -= sealed / 2 {
		if !refused(raw[:n]) {
			t.Errorf("a file cut to %d bytes was not seen", n)
		}
	}
	head := len(raw) % sealed // all but whole chunks in front, at most
	for n := head; n < len(raw); n += sealed {
		if !refused(raw[:n]) {
			t.Errorf("a file cut to %d bytes was not seen", n)
		}
	}
}

func TestEncryptedAbort(t *testing.T) {
	id, _ := age.GenerateX25519Identity()
	s := newSite(t)
	d := s.describe(1, []Image{s.image("control", s.layer("a", "a"))})
	w, err := CreateWith(s.dir, d, CreateOptions{Recipients: []crypt.Recipient{id.Recipient()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Publish(); err == nil {
		t.Error("an incomplete patch was published")
	}
	if files, _ := os.ReadDir(s.dir); len(files) != 0 {
		t.Errorf("the folder holds %v", files)
	}
	pass, _ := crypt.NewPassphrase("x")
	if _, err := CreateWith(s.dir, d, CreateOptions{Recipients: []crypt.Recipient{pass, id.Recipient()}}); err == nil {
		t.Error("a passphrase beside another recipient was taken")
	}
	if files, _ := os.ReadDir(s.dir); len(files) != 0 {
		t.Errorf("the folder holds %v", files)
	}
	if _, err := Open(filepath.Join(s.dir, "none.age")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestExtensions(t *testing.T) {
	for name, id := range map[string]string{
		"a.floto-patch.zip": "a", "a.floto-patch.zip.age": "a", "a.age": "", "a.zip.age": "", "a": "", "": "", "a.floto-patch.zip.age.age": "",
	} {
		if HasExtension(name) != (id != "") || id != "" && TrimExtension(name) != id {
			t.Errorf("%q: %v, %q", name, HasExtension(name), TrimExtension(name))
		}
	}
}

func BenchmarkVerifyEncrypted(b *testing.B) {
	_, _, encrypted, o := encryptedSite(b)
	r, err := o.Open(encrypted)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	b.SetBytes(r.Size())
	for b.Loop() {
		if _, err := Verify(b.Context(), r, VerifyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
