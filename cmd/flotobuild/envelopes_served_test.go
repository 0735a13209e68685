package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// served lets the command serve what a device has, and asks for all of it.
func (f *fleet) served(t *testing.T, device int) {
	t.Helper()
	url := f.serve(t, device)
	var description []struct {
		BinaryBlobs []struct{ FileName, URL string }
	}
	if err := json.Unmarshal(get(t, url+"/eve/v1/patch/description.json"), &description); err != nil || len(description) != 1 {
		t.Fatalf("%d envelopes, %v", len(description), err)
	}
	if n := len(description[0].BinaryBlobs); n != f.blobs {
		t.Errorf("%d blobs are listed", n)
	}
	for _, b := range description[0].BinaryBlobs {
		text, err := base64.StdEncoding.DecodeString(string(get(t, b.URL)))
		if err != nil || string(text) != f.secret+b.FileName {
			t.Errorf("%q is served for %q, %v", text, b.FileName, err)
		}
	}
}

// serve runs envelope serve for a device until the test ends, and gives its URL.
func (f *fleet) serve(t *testing.T, device int) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	name := f.keep(t, device)
	cmd := exec.CommandContext(t.Context(), "flotobuild", "envelope", "serve", "-listen="+address, "-base-url=http://"+address,
		"-app-at=127.0.0.1=bc29c80d-e237-429c-a143-f65e7613f635", "-key="+name, "-peer=controller.pem",
		filepath.Join("dist", "envelopes", "tuning", deviceName(device), "config.pb"))
	cmd.Dir = f.dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return "http://" + address
		}
	}
	t.Fatal("the server does not answer")
	return ""
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", url, r.StatusCode, err)
	}
	return b
}
