package metadata

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/envelope"
)

// A volume moves from VolumeRefs to BinaryBlobs when it has arrived, and not
// while it may still be growing.
func TestLateVolume(t *testing.T) {
	f := newFixture(t, settings())
	f.load()
	pending := func() bool { return strings.Contains(f.get(describeURL), `"imageId":"`+lateID+`"`) }
	path := download + patchID + "/late.bin"
	if !pending() || f.do("GET", appAddress, path).Code != 404 {
		t.Error("the volume is there before it came")
	}
	f.put(lateID, []byte("half"))
	if changed, _ := f.load(); changed || !pending() {
		t.Error("a volume arrived at the first look")
	}
	f.put(lateID, []byte("half and half"))
	if changed, _ := f.load(); changed || !pending() {
		t.Error("a volume arrived while it grew")
	}
	if changed, _ := f.load(); !changed || pending() || f.get(path) != "half and half" {
		t.Errorf("the volume did not arrive: %s", f.get(describeURL))
	}
	if changed, _ := f.load(); changed {
		t.Error("something changed by itself")
	}
	f.put(lateID, []byte("another version"))
	if changed, _ := f.load(); !changed || !pending() {
		t.Error("a volume that changes stays in sight")
	}
	if f.load(); f.get(path) != "another version" {
		t.Errorf("the new version did not arrive: %s", f.get(path))
	}
	os.Remove(f.path(lateID))
	if f.load(); !pending() || f.do("GET", appAddress, path).Code != 404 {
		t.Error("a volume that went away stays in sight")
	}
}

func TestReload(t *testing.T) {
	f := newFixture(t, settings())
	f.load()
	d := settings()
	d.Version, d.Blobs = "1.3", []envelope.Blob{{Name: "limits.yaml", Content: []byte("max: 8\n")}}
	f.write(d)
	if f.load(); f.get(download+patchID+"/limits.yaml") != "bWF4OiA4Cg==" || f.do("GET", appAddress, download+patchID+"/password").Code != 404 {
		t.Error("the new envelope does not show")
	}
	// A damaged file leaves the old state in sight, and is reported once.
	f.put("config.pb", []byte("not a configuration"))
	if state, _, err := f.loader.Load(context.Background()); err == nil || state != nil {
		t.Errorf("damaged file: %v", err)
	}
	if state, _, err := f.loader.Load(context.Background()); err != nil || state != nil {
		t.Errorf("damaged file, second look: %v", err)
	}
	if f.get(download+patchID+"/limits.yaml") != "bWF4OiA4Cg==" {
		t.Error("the old state went away")
	}
	os.Remove(f.path("config.pb"))
	if _, _, err := f.loader.Load(context.Background()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	f.write(settings())
	if f.load(); f.get(download+patchID+"/limits.yaml") != "bWF4OiA3Cg==" {
		t.Error("the file that came back does not show")
	}
}

// Without a key, or with another one, encrypted blobs do not show, and the rest
// does.
func TestNoKey(t *testing.T) {
	f := newFixture(t, settings())
	f.loader.files.Open = nil
	if _, warnings := f.load(); len(warnings) != 2 || !errors.Is(warnings[0], errNoKey) {
		t.Errorf("warnings: %v", warnings)
	}
	if strings.Contains(f.get(describeURL), "password") || f.get(download+patchID+"/limits.yaml") != "bWF4OiA3Cg==" {
		t.Error(f.get(describeURL))
	}
	g := newFixture(t, settings())
	g.device = newSide(t, "another")
	if _, warnings := g.load(); len(warnings) != 2 || !errors.Is(warnings[0], envelope.ErrClearText) {
		t.Errorf("warnings: %v", warnings)
	}
}

// Only UUIDs become names of files.
func TestVolumeNames(t *testing.T) {
	d := settings()
	d.Blobs = []envelope.Blob{
		{Name: "a", Volume: &envelope.Volume{ID: "../config.pb"}},
		{Name: "b", Volume: &envelope.Volume{ID: "config.pb"}},
		{Name: "c", Volume: &envelope.Volume{ID: ""}},
		{Name: "d", Volume: &envelope.Volume{ID: "urn:uuid:" + volumeID}},
	}
	f := newFixture(t, d)
	f.put("urn:uuid:"+volumeID, []byte("x"))
	f.load()
	if got := f.get(describeURL); !strings.Contains(got, `"BinaryBlobs":null`) {
		t.Errorf("got %s", got)
	}
}

func TestApps(t *testing.T) {
	apps := make(Apps)
	text := "# who is who\n192.0.2.1 " + app + " # one\n\n192.0.2.0/24 " + strings.ToUpper(idleApp) + "\n2001:db8::1 " + app + "\n"
	if err := apps.Read(strings.NewReader(text)); err != nil || len(apps) != 3 {
		t.Fatalf("%v, %v", apps, err)
	}
	for source, want := range map[string]string{"192.0.2.1": app, "192.0.2.2": idleApp, "2001:db8::1": app, "198.51.100.1": "", "::1": ""} {
		addr := sourceOf(&http.Request{RemoteAddr: net.JoinHostPort(source, "1")})
		if got, ok := apps.find(addr); got != want || ok != (want != "") {
			t.Errorf("%s is %q", source, got)
		}
	}
	for text, want := range map[string]string{
		"192.0.2.1\n": "line 1: it takes", "\nx " + app: "line 2: cannot map \"x\"",
		"192.0.2.3 x": "it is no UUID", "192.0.2.1 " + idleApp: "mapped to",
	} {
		if err := apps.Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// running serves the fixture on the loopback interface until the test ends.
func running(t testing.TB, f *fixture) (url string, stop func() error) {
	t.Helper()
	f.load()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.server.Run(ctx, l, f.loader) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { stop() })
	return "http://" + l.Addr().String(), stop
}

func fetch(c *http.Client, url string) (string, error) {
	r, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if r.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("%s: status %d", url, r.StatusCode))
	}
	return string(b), err
}

// load200 lets 200 clients ask for everything until the time is over, while the
// files change under them.
func load200(t testing.TB, lasts time.Duration) (requests int) {
	f := newFixture(t, settings())
	f.put(volumeID, bytes.Repeat([]byte("volume "), 10_000))
	f.put(secretID, []byte("bytes of the weights"))
	url, stop := running(t, f)
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}}
	defer c.CloseIdleConnections()
	end := time.Now().Add(lasts)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for n := range 200 {
		wg.Go(func() {
			for i := n; time.Now().Before(end); i++ {
				path := []string{describeURL, download + patchID + "/limits.yaml", download + patchID + "/password", download + patchID + "/model.bin", download + patchID}[i%5]
				if _, err := fetch(c, url+path); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				requests++
				mu.Unlock()
			}
		})
	}
	for time.Now().Before(end) {
		f.write(settings())
		time.Sleep(interval)
	}
	wg.Wait()
	if err := stop(); err != nil {
		t.Error(err)
	}
	return requests
}

func Test200Clients(t *testing.T) {
	if n := load200(t, 3*time.Second); n < 200 {
		t.Errorf("%d requests only", n)
	}
}

func Benchmark200ClientsForAMinute(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(float64(load200(b, time.Minute))/60, "requests/s")
	}
}

// A volume of 2 GB does not show in memory, neither when it is hashed nor while
// it is sent or packed.
func TestLargeVolume(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 2 GB three times")
	}
	const size = 2 << 30
	f := newFixture(t, settings())
	f.put(volumeID, nil)
	if err := os.Truncate(f.path(volumeID), size); err != nil {
		t.Fatal(err)
	}
	peak, watch := watchMemory()
	url, stop := running(t, f)
	for path, least := range map[string]int64{download + patchID + "/model.bin": size, download + patchID: 1 << 20} {
		r, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r.Body)
		r.Body.Close()
		if err != nil || n < least {
			t.Errorf("%s: %d bytes, %v", path, n, err)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	watch()
	if most := uint64(48 << 20); *peak > most {
		t.Errorf("%d bytes of heap", *peak)
	}
}

// watchMemory follows the heap until the function is called.
func watchMemory() (*uint64, func()) {
	peak, done, ended := new(uint64), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			*peak = max(*peak, m.HeapInuse)
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return peak, func() { close(done); <-ended }
}

// A download that has begun ends after the server was told to stop.
func TestGracefulStop(t *testing.T) {
	f := newFixture(t, settings())
	content := bytes.Repeat([]byte("0123456789abcdef"), 4<<20) // more than sockets hold
	f.put(volumeID, content)
	url, stop := running(t, f)
	r, err := http.Get(url + download + patchID + "/model.bin")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	first := make([]byte, 10)
	if _, err := io.ReadFull(r.Body, first); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	time.Sleep(50 * time.Millisecond)
	rest, err := io.ReadAll(r.Body)
	if err != nil || len(rest)+len(first) != len(content) {
		t.Errorf("%d bytes, %v", len(rest), err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := http.Get(url); err == nil {
		t.Error("the server still answers")
	}
}
