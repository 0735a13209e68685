package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// siblings writes an initial patch and n that follow it, each by itself.
func (m *maker) siblings(n int) []string {
	m.t.Helper()
	base := m.layer("etc/os-release", noise(1, 2000), store.Gzip)
	first := m.write(m.describe(0, []patch.Image{m.image("gateway", base)}), patch.CreateOptions{})
	out := []string{first}
	for day := range n {
		gateway := m.image("gateway", base, m.layer("app", noise(day, 50<<10), store.None))
		out = append(out, m.write(m.describe(day+1, []patch.Image{gateway}, header(m.t, first)), patch.CreateOptions{}))
	}
	return out
}

func TestImportsAtOnce(t *testing.T) {
	paths := newMaker(t).siblings(4)
	s := newSite(t)
	mustImport(t, s, paths[0])
	var wg sync.WaitGroup
	for _, path := range append(paths, paths...) {
		wg.Go(func() {
			_, err := s.Import(context.Background(), Source{Path: path}, ImportOptions{})
			if err != nil && !errors.Is(err, ErrImporting) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all, err := s.List(t.Context())
	if err != nil || len(all) != len(paths) {
		t.Errorf("%d patches instead of %d: %v", len(all), len(paths), err)
	}
	sound(t, s)
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left: %q", l)
	}
	history, err := s.History()
	if err != nil || len(history) != 1+len(paths) {
		t.Errorf("history: %+v, %v", history, err)
	}
}

// A gate lets a part of a file through, and the rest when it is opened.
type gate struct {
	r       io.Reader
	left    int64
	reached chan struct{}
	open    chan struct{}
	err     error // instead of the rest
}

// Read implements io.Reader.
func (g *gate) Read(p []byte) (int, error) {
	if g.left == 0 {
		close(g.reached)
		<-g.open
		g.left = -1
	}
	if g.left < 0 {
		if g.err != nil {
			return 0, g.err
		}
		return g.r.Read(p)
	}
	n, err := g.r.Read(p[:min(int64(len(p)), g.left)])
	g.left -= int64(n)
	return n, err
}

// gated begins an import that stops in the middle of the file.
func gated(t *testing.T, s *Site, path string) (*gate, <-chan error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{r: f, left: st.Size() * 3 / 4, reached: make(chan struct{}), open: make(chan struct{})}
	ended := make(chan error, 1)
	go func() {
		_, err := s.Import(context.Background(), Source{Reader: g, Name: "gate"}, ImportOptions{})
		ended <- err
	}()
	select {
	case <-g.reached:
	case err := <-ended:
		t.Fatalf("the import ended early: %v", err)
	}
	return g, ended
}

// What a running import relies on is not collected, though the patch that
// brought it is.
func TestCollectAndActivateDuringImport(t *testing.T) {
	paths := newMaker(t).siblings(3)
	s := newSite(t)
	mustImport(t, s, paths[0])
	second, third := mustImport(t, s, paths[1]), mustImport(t, s, paths[2])
	g, ended := gated(t, s, paths[3])
	for _, id := range []string{third.Record.ID, second.Record.ID} {
		if err := s.Activate(t.Context(), id, "test"); err != nil {
			t.Fatal(err)
		}
	}
	c, err := s.GC(t.Context(), GCOptions{})
	if err != nil || len(c.Patches) != 1 || c.Staging != 0 {
		t.Errorf("collected %+v: %v", c, err)
	}
	st, err := s.Status(t.Context())
	if err != nil || len(st.Imports) != 1 || !st.Imports[0].Running {
		t.Errorf("status: %+v, %v", st, err)
	}
	close(g.open)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	sound(t, s)
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left: %q", l)
	}
}

// The only patch with a layer goes while the import that relies on it runs.
func TestCollectWhatAnImportReliesOn(t *testing.T) {
	m := newMaker(t)
	base := m.layer("base", noise(7, 5000), store.None)
	first := m.write(m.describe(0, []patch.Image{m.image("a", base)}), patch.CreateOptions{})
	second := m.write(m.describe(1, []patch.Image{m.image("a", base, m.layer("app", noise(8, 50<<10), store.None))}, header(t, first)), patch.CreateOptions{})
	s := newSite(t)
	mustImport(t, s, first)
	g, ended := gated(t, s, second)
	if c, err := s.GC(t.Context(), GCOptions{}); err != nil || len(c.Patches) != 1 {
		t.Fatalf("collected %+v: %v", c, err)
	}
	close(g.open)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	sound(t, s)
}

// An import goes on where one was interrupted, and copies nothing twice.
func TestResume(t *testing.T) {
	m := newMaker(t)
	var layers []patch.Layer
	for n := range 8 {
		layers = append(layers, m.layer(fmt.Sprint(n), noise(n, 300<<10), store.None))
	}
	path := m.write(m.describe(0, []patch.Image{m.image("a", layers...)}), patch.CreateOptions{})
	s := newSite(t)
	g, ended := gated(t, s, path)
	g.err = &os.PathError{Op: "read", Path: "stick", Err: os.ErrDeadlineExceeded}
	close(g.open)
	if err := <-ended; err == nil {
		t.Fatal("it succeeded")
	}
	if l := leaks(t, s); len(l) != 0 {
		t.Fatalf("an error that is none of the system's left %q", l)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := func(p Progress) {
		if p.Done > p.Total/2 && p.Total > 0 {
			cancel(io.ErrNoProgress)
		}
	}
	if _, err := s.Import(ctx, Source{Path: path}, ImportOptions{Progress: stop}); !errors.Is(err, io.ErrNoProgress) {
		t.Fatal(err)
	}
	st, err := s.Status(t.Context())
	if err != nil || len(st.Imports) != 1 || st.Imports[0].Running || st.Imports[0].Patch == "" {
		t.Fatalf("status: %+v, %v", st, err)
	}
	var copied int64
	i, err := s.Import(t.Context(), Source{Path: path}, ImportOptions{Progress: func(p Progress) { copied = p.Done }})
	if err != nil {
		t.Fatal(err)
	}
	if i.Resumed < i.Record.Required/4 || copied+i.Resumed != i.Record.Required {
		t.Errorf("%d bytes were there, %d were copied, and %d are all", i.Resumed, copied, i.Record.Required)
	}
	sound(t, s)
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left: %q", l)
	}
}

// Who holds the lock is named, and the lock goes with its holder.
func TestLock(t *testing.T) {
	s := newSite(t)
	unlock, err := s.Lock(t.Context(), "a walk in the park")
	if err != nil {
		t.Fatal(err)
	}
	h, busy, err := s.Busy()
	if err != nil || !busy || h.PID != os.Getpid() || h.What != "a walk in the park" {
		t.Errorf("holder %+v, %v, %v", h, busy, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrNoProgress)
	if err := s.Activate(ctx, "x", ""); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("waited for the lock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if _, busy, err := s.Busy(); busy || err != nil {
		t.Errorf("still locked: %v", err)
	}
}

// Who asks how the site is keeps nobody from importing.
func TestStatusDuringImports(t *testing.T) {
	path := newMaker(t).chain(1)[0]
	s := newSite(t)
	dir := s.path(stagingDir, header(t, path).Digest.Encoded())
	if err := os.Mkdir(dir, 0o777); err != nil { // an interrupted import
		t.Fatal(err)
	}
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if held(f) { // takes the lock of those who ask
		t.Fatal("it is held")
	}
	go func() {
		time.Sleep(50 * time.Millisecond)
		f.Close()
	}()
	mustImport(t, s, path)
}
