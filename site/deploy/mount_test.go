package deploy

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
)

// sees is a container that is healthy when it sees a text in a file.
func sees(text, file string) string {
	return loop + `, healthcheck: {test: ["CMD-SHELL", "test $$(cat ` + file + `) = ` + text + `"], interval: 0.5s, retries: 2}`
}

// mountReleases makes three patches; the last but one changes a file that one
// container sees.
func mountReleases(p *plant, host string) {
	images := []patch.Image{p.image("a", "1")}
	services := func(value string) string {
		return "web a: " + sees(value, "/etc/web.conf") + ", volumes: [\"../../conf/web:/srv:ro\", \"./config/web/etc/web.conf:/etc/web.conf:ro\"]\n" +
			"db a: " + sees("down", "/srv/link") + ", volumes: [{type: bind, source: ../../conf/db, target: /srv}]\n" +
			"sec a: " + sees("hush", "/run/secrets/word") + ", secrets: [word]"
	}
	for _, r := range []struct{ id, value, web string }{{"1.0", "one", "x"}, {"1.1", "two", "x"}, {"1.2", "two", "y"}} {
		release := p.release(r.id, images, map[string]string{host: services(r.value)}, map[string]string{
			"conf/web/index": r.web, "conf/db/deep/er": "down", "conf/db/link@1": "deep/er", "conf/word": "hush", "conf/unused": r.id,
			"manifest/" + strings.Split(host, "=")[0] + "/config/web/etc/web.conf": r.value,
		})
		name := release.Manifest.Hosts[0].Compose
		f := release.Files.(linked).MapFS[name]
		f.Data = append(f.Data, "secrets: {word: {file: ../../conf/word}}\n"...)
	}
}

func TestMounts(t *testing.T) {
	p := newPlant(t)
	mountReleases(p, "local")
	p.well(p.redeploy("1.0", Options{}), "db=create sec=create web=create")
	first := p.running()
	r := p.redeploy("1.1", Options{})
	p.well(r, "db=keep sec=keep web=recreate")
	if r.Hosts[0].Steps[2].Reason != "configuration" {
		t.Errorf("reason %q", r.Hosts[0].Steps[2].Reason)
	}
	p.well(p.redeploy("1.2", Options{}), "db=keep sec=keep web=recreate")
	if now := p.running(); now["db"] != first["db"] || now["sec"] != first["sec"] {
		t.Error("containers were changed without a reason")
	}
	entries, err := os.ReadDir(filepath.Join(p.site.dir, folder, mountsDir))
	if err != nil || len(entries) != 4 {
		t.Errorf("%d mounts, %v", len(entries), err)
	}
}

// TestRemote has the engine on another machine, as far as one can tell: files
// and Compose come to it through TLS only.
func TestRemote(t *testing.T) {
	p := newPlant(t)
	host := "office=tcp://" + p.listen()
	mountReleases(p, host)
	p.well(p.redeploy("1.0", Options{}), "db=create sec=create web=create")
	p.well(p.redeploy("1.1", Options{}), "db=keep sec=keep web=recreate")
	whole, err := filepath.Glob(filepath.Join(p.remote, "north", mountsDir, "*"+complete))
	if err != nil || len(whole) != 5 {
		t.Errorf("%d mounts, %v", len(whole), err)
	}
	if here, _ := os.ReadDir(filepath.Join(p.site.dir, folder, mountsDir)); len(here) != 0 {
		t.Errorf("%d mounts are here", len(here))
	}
	if got := len(p.containers()); got != 3 {
		t.Errorf("%d containers", got)
	}
	p.env["DOCKER_TLS_VERIFY"] = ""
	if _, err := p.deployment().Plan(t.Context(), Options{}); err == nil {
		t.Error("the engine is used without a key")
	}
}

// listen makes the engine answer at an address of the network to those who have
// the right key, and lets the environment have it.
func (p *plant) listen() string {
	p.t.Helper()
	plain := httptest.NewTLSServer(nil) // for its certificate, which is its own authority
	plain.Close()
	cert := plain.TLS.Certificates[0]
	pool := x509.NewCertPool()
	pool.AddCert(plain.Certificate())
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAnyClientCert})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { l.Close() })
	go forward(l, strings.TrimPrefix(p.env["DOCKER_HOST"], "unix://"))

	dir := p.t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		p.t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	os.WriteFile(filepath.Join(dir, "ca.pem"), public, 0o600)
	os.WriteFile(filepath.Join(dir, "cert.pem"), public, 0o600)
	os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600)
	p.env["DOCKER_TLS_VERIFY"], p.env["DOCKER_CERT_PATH"] = "1", dir
	return l.Addr().String()
}

func forward(l net.Listener, socket string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			far, err := net.Dial("unix", socket)
			if err != nil {
				return
			}
			defer far.Close()
			go func() {
				io.Copy(far, c)
				far.(*net.UnixConn).CloseWrite()
			}()
			io.Copy(c, far)
		}()
	}
}
