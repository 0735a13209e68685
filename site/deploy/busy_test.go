package deploy

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/site/docker"
)

// A redeploy that is refused because of another leaves alone what that is making.
func TestBusy(t *testing.T) {
	s := &fakeSite{dir: t.TempDir()}
	d := New(s, docker.Environment{Getenv: func(string) string { return "" }}, os.Environ())
	if err := d.folders(); err != nil {
		t.Fatal(err)
	}
	unlock, err := d.lock()
	if err != nil {
		t.Fatal(err)
	}
	half := d.path(mountsDir, ".half")
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	if _, err := d.Redeploy(t.Context(), Options{Timeout: time.Second}); !errors.As(err, &busy) || busy.PID != os.Getpid() {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(half); err != nil {
		t.Error(err)
	}
	unlock()
	if _, err := d.Redeploy(t.Context(), Options{}); err == nil {
		t.Error("a site without an active patch was redeployed")
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a killed redeploy left is still there: %v", err)
	}
}
