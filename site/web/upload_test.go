package web

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func (r *rig) offset(location string) string {
	r.t.Helper()
	resp, _ := r.call(r.operator, "HEAD", location, nil, tusHeaders...)
	return resp.Header.Get("Upload-Offset")
}

// TestResume cuts uploads off in the middle of a request.
func TestResume(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	path := f.next("one")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name, half := filepath.Base(path), len(b)/2
	location := r.beginUpload(name, len(b))
	pr, pw := io.Pipe()
	req, err := http.NewRequest("PATCH", r.http.URL+location, pr)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + r.operator}, "Tus-Resumable": {"1.0.0"}, "Upload-Offset": {"0"}, "Content-Type": {offsetType}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	pw.Write(b[:half])
	pw.CloseWithError(io.ErrUnexpectedEOF) // the line is cut
	<-ended
	for end := time.Now().Add(time.Minute); r.offset(location) == "0" && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	offset := r.offset(location)
	if offset == "0" || offset == "" {
		t.Fatal("nothing of the first half is there")
	}
	for status := 423; status != 409; { // until the server has noticed
		resp, text := r.call(r.operator, "PATCH", location, b, append(tusHeaders, "Upload-Offset", "1", "Content-Type", offsetType)...)
		if status = resp.StatusCode; status != 409 && status != 423 {
			t.Fatalf("the wrong offset: %d %s", status, text)
		}
	}
	n := len(b)
	for _, end := range []int{half + (n-half)/2, n} {
		from := r.offset(location)
		r.want(204, r.operator, "PATCH", location, b[atoi(t, from):end], append(tusHeaders, "Upload-Offset", from, "Content-Type", offsetType)...)
	}
	if done := r.finish(r.want(202, r.operator, "POST", "/api/v1/incoming/"+name+"/import", nil)); done.State != Done {
		t.Errorf("import of what came in pieces: %+v", done)
	}
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	n := 0
	for _, c := range text {
		n = n*10 + int(c-'0')
	}
	return n
}

func TestUploadRefusals(t *testing.T) {
	r := newRig(t)
	begin := func(header ...string) int {
		resp, _ := r.call(r.operator, "POST", "/api/v1/uploads", nil, header...)
		return resp.StatusCode
	}
	good := metadata("a.floto-patch.zip")
	for _, c := range []struct {
		status int
		header []string
	}{
		{412, []string{"Upload-Length", "10", "Upload-Metadata", good}},
		{412, []string{"Tus-Resumable", "0.2", "Upload-Length", "10", "Upload-Metadata", good}},
		{400, append(tusHeaders, "Upload-Metadata", good)},
		{400, append(tusHeaders, "Upload-Length", "-1", "Upload-Metadata", good)},
		{400, append(tusHeaders, "Upload-Length", "10")},
		{400, append(tusHeaders, "Upload-Length", "10", "Upload-Metadata", "filename ä")},
		{400, append(tusHeaders, "Upload-Length", "10", "Upload-Metadata", metadata("../x.floto-patch.zip"))},
		{400, append(tusHeaders, "Upload-Length", "10", "Upload-Metadata", "filename "+strings.Repeat("A", maxMetadata))},
		{507, append(tusHeaders, "Upload-Length", "4611686018427387904", "Upload-Metadata", good)},
		{201, append(tusHeaders, "Upload-Length", "10", "Upload-Metadata", "type eA==, "+good)},
	} {
		if got := begin(c.header...); got != c.status {
			t.Errorf("%q: status %d, not %d", c.header, got, c.status)
		}
	}
	location := r.beginUpload("b.floto-patch.zip", 4)
	r.want(415, r.operator, "PATCH", location, []byte("1234"), append(tusHeaders, "Upload-Offset", "0")...)
	r.want(400, r.operator, "PATCH", location, []byte("1234"), append(tusHeaders, "Content-Type", offsetType)...)
	r.want(413, r.operator, "PATCH", location, []byte("12345"), append(tusHeaders, "Upload-Offset", "0", "Content-Type", offsetType)...)
	if got := r.offset(location); got != "0" {
		t.Errorf("of a body that is too long %s bytes stay", got)
	}
	r.want(204, r.operator, "DELETE", location, nil, tusHeaders...)
	r.want(404, r.operator, "DELETE", location, nil, tusHeaders...)
	r.want(404, r.operator, "PATCH", location, []byte("1"), append(tusHeaders, "Upload-Offset", "0", "Content-Type", offsetType)...)
	resp, _ := r.call("", "OPTIONS", "/api/v1/uploads", nil)
	if resp.Header.Get("Tus-Version") != "1.0.0" || resp.Header.Get("Tus-Extension") != "creation,termination" {
		t.Errorf("the protocol is %v", resp.Header)
	}

	// What is no patch arrives, and stays until somebody removes it.
	junk := filepath.Join(t.TempDir(), "junk.floto-patch.zip")
	os.WriteFile(junk, []byte("PK no zip"), 0o600)
	name := r.upload(junk)
	if done := r.finish(r.want(202, r.operator, "POST", "/api/v1/incoming/"+name+"/import", nil)); done.State != Failed || done.Error == "" {
		t.Errorf("import of junk: %+v", done)
	}
	r.want(204, r.operator, "DELETE", "/api/v1/incoming/"+name, nil)
}
