package docker

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAbsent(t *testing.T) {
	dir, err := os.MkdirTemp("", "absent") // sockets have short paths
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := func(name string) string { return filepath.Join(dir, name) }
	listen := func(name string) net.Listener {
		l, err := net.Listen("unix", path(name))
		if err != nil {
			t.Fatal(err)
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		return l
	}
	listen("dead").Close()
	if err := os.WriteFile(path("file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	deaf := listen("deaf")
	defer deaf.Close()
	go func() {
		for {
			c, err := deaf.Accept()
			if err != nil {
				return
			}
			time.Sleep(time.Millisecond)
			c.Close()
		}
	}()
	want := map[string]Obstacle{"none": NoSocket, "dead": NotListening, "file": NotListening, "none/none": NoSocket}
	if os.Geteuid() != 0 {
		if err := os.Chmod(path("dead"), 0); err != nil {
			t.Fatal(err)
		}
		want["dead"] = NotAllowed
	}
	env := Environment{Getenv: func(string) string { return "" }, Home: dir}
	connect := func(address string) error {
		p, err := env.Resolve(address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Connect(t.Context(), p)
		return err
	}
	for name, o := range want {
		var e *AbsentError
		if err := connect("unix://" + path(name)); !errors.As(err, &e) || e.Obstacle != o || !strings.HasSuffix(err.Error(), string(o)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := connect("unix://" + path("deaf")); err == nil || !strings.Contains(err.Error(), path("deaf")) {
		t.Errorf("one that hangs up: %v", err)
	}
	var e *AbsentError
	if err := connect("tcp://127.0.0.1:1"); !errors.As(err, &e) || e.Obstacle != NoAnswer {
		t.Errorf("another machine: %v", err)
	}
}

func TestComposeVersions(t *testing.T) {
	for version, ok := range map[string]bool{
		"1.29.2": true, "1.29": true, "2.0.0": true, "2.24.6-desktop.1": true, "1.28.9": false, "1.5.0": false, "0.9": false, "dev": true, "": true,
	} {
		if err := (&Compose{Version: version}).recent(); (err == nil) != ok {
			t.Errorf("%q: %v", version, err)
		}
	}
}
