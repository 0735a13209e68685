package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A binding is a project that changes at random: its files are written from
// this model.
type binding struct {
	t         *testing.T
	rng       *rand.Rand
	dir, home string
	made      int // names that were given
	base      string
	version   int
	images    map[string]*boundImage // by name
	conf      map[string]string
}

// A boundImage is one of the project's images.
type boundImage struct {
	folder        string // of the build context, which outlives the name
	file, arg     string
	comment, step int
	onBase, runs  bool
}

func newBinding(t *testing.T, rng *rand.Rand) *binding {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &binding{
		t: t, rng: rng, dir: filepath.Join(dir, "project"), home: dir, base: "one",
		images: make(map[string]*boundImage), conf: map[string]string{"notes": "one"},
	}
	for range 3 {
		b.add()
	}
	return b
}

func (b *binding) text() string {
	return strings.Repeat(fmt.Sprintf("%x\n", b.rng.Uint64()), 1+b.rng.IntN(200))
}

func (b *binding) name() string {
	b.made++
	return fmt.Sprintf("i%d", b.made)
}

func (b *binding) add() {
	name := b.name()
	b.images[name] = &boundImage{folder: "c" + name, file: b.text(), arg: "1", onBase: b.rng.IntN(2) == 0, runs: b.rng.IntN(3) == 0}
}

// some picks an image.
func (b *binding) some() string {
	names := slices.Sorted(maps.Keys(b.images))
	return names[b.rng.IntN(len(names))]
}

// change makes one change and names it.
func (b *binding) change() string {
	name := b.some()
	i := b.images[name]
	switch b.rng.IntN(14) {
	case 0, 1:
		i.file = b.text()
		return "file"
	case 2:
		if len(b.images) < 6 {
			b.add()
			return "image added"
		}
	case 3:
		if len(b.images) > 1 {
			delete(b.images, name)
			return "image dropped"
		}
	case 4:
		delete(b.images, name)
		b.images[b.name()] = i
		return "image renamed"
	case 5:
		i.arg = fmt.Sprint(b.rng.IntN(5))
		return "arg"
	case 6:
		b.base = b.text()
		return "base"
	case 7:
		i.onBase = !i.onBase
		return "other base"
	case 8:
		b.conf[fmt.Sprint("f", b.rng.IntN(4))] = b.text()
		return "conf"
	case 9:
		delete(b.conf, fmt.Sprint("f", b.rng.IntN(4)))
		return "conf dropped"
	case 10:
		b.version++
		return "version"
	case 11:
		i.comment++
		return "comment"
	case 12:
		i.step++
		return "step"
	}
	return "nothing"
}

// write makes the folder what the model says. Every file gets a new date.
func (b *binding) write() {
	b.t.Helper()
	entries, _ := os.ReadDir(b.dir)
	for _, e := range entries {
		if e.Name() != "dist" && e.Name() != ".flotobuild" {
			os.RemoveAll(filepath.Join(b.dir, e.Name()))
		}
	}
	rootfs, err := os.ReadFile(surroundings(b.t, "FLOTOBUILD_TEST_ROOTFS"))
	if err != nil {
		b.t.Fatal(err)
	}
	files := map[string]string{
		"root.tar": string(rootfs), "base/Dockerfile": "FROM root\nCOPY file /base\n", "base/file": b.base,
		"plant.floto.hcl": b.hcl(), "all.root.hcl": b.root(true), "some.root.hcl": b.root(false),
	}
	for name, text := range b.conf {
		files["notes/"+name] = text
	}
	for _, i := range b.images {
		text := fmt.Sprintf("# %d\nFROM base\nARG A\nCOPY file /file\n", i.comment)
		if i.runs {
			text += "RUN cat /proc/sys/kernel/random/uuid > /id-$A\n"
		}
		files[i.folder+"/Dockerfile"] = text + fmt.Sprintf("COPY --link other /other-%d\n", i.step)
		files[i.folder+"/file"], files[i.folder+"/other"] = i.file, "other"
	}
	for name, text := range files {
		file := filepath.Join(b.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *binding) hcl() string {
	var s strings.Builder
	s.WriteString("image_set \"s\" {\n  image \"root\" {\n    rootfs = \"root.tar\"\n  }\n  image \"base\" {\n    context  = \"base\"\n    contexts = { root = image_set.s.image.root }\n  }\n")
	for _, name := range slices.Sorted(maps.Keys(b.images)) {
		i, base := b.images[name], "root"
		if i.onBase {
			base = "base"
		}
		fmt.Fprintf(&s, "  image %q {\n    context  = %q\n    contexts = { base = image_set.s.image.%s }\n    args     = { A = %q }\n  }\n", name, i.folder, base, i.arg)
	}
	s.WriteString("}\n")
	for _, site := range []string{"all", "some"} {
		fmt.Fprintf(&s, "root_definition %q {\n  file       = \"%s.root.hcl\"\n  image_sets = [image_set.s]\n}\n", site, site)
		fmt.Fprintf(&s, "site %q {\n  root_definition = root_definition.%s\n  patch {\n    version = \"1.%d.0\"\n  }\n}\n", site, site, b.version)
	}
	return s.String()
}

// root gives the containers of all images, or of every other one.
func (b *binding) root(all bool) string {
	s := "host \"edge\" {\n  address = \"127.0.0.1\"\n}\n"
	for n, name := range slices.Sorted(maps.Keys(b.images)) {
		if all || n%2 == 0 {
			s += fmt.Sprintf("container %q {\n  image = %q\n  host  = \"edge\"\n}\n", name, name)
		}
	}
	return s
}
