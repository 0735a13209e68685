package metadata

import (
	"archive/zip"
	"errors"
	"io"
	"io/fs"
	"net/http"
)

// download sends one blob.
func (q *request) download(id, name string) {
	p := find(q.patches, id)
	if p == nil {
		q.fail(http.StatusNotFound, "patch is not found")
		return
	}
	b := p.blob(name)
	if b == nil {
		q.fail(http.StatusNotFound, "file is not found")
		return
	}
	c, err := b.content()
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errChanged):
		q.fail(http.StatusNotFound, "file is not found")
		return
	case err != nil:
		q.problem("blob", err)
		return
	}
	defer c.Close()
	if b.secret {
		q.w.Header().Set("Content-Type", "text/plain")
		q.w.Header().Set("Content-Disposition", `attachment; filename="data.txt"`)
	}
	q.usage.downloaded(q.app, p.id)
	http.ServeContent(q.w, q.r, name, b.modified, c)
}

// archive sends all blobs of an envelope as they are packed. What goes wrong on
// the way breaks the connection, so that no client takes half for the whole.
func (q *request) archive(id string) {
	p := find(q.patches, id)
	if p == nil {
		http.Error(q.w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
		return
	}
	q.w.Header().Set("Content-Type", "application/zip")
	if q.r.Method == http.MethodHead {
		return
	}
	q.usage.downloaded(q.app, p.id)
	if err := pack(q.w, p); err != nil {
		q.opts.Log.Error("cannot answer", "what", "archive", "app", q.app, "error", err.Error())
		panic(http.ErrAbortHandler)
	}
}

func pack(w io.Writer, p *patch) error {
	z := zip.NewWriter(w)
	for _, b := range p.blobs {
		if err := packBlob(z, b); err != nil {
			return err
		}
	}
	return z.Close()
}

func packBlob(z *zip.Writer, b *blob) error {
	c, err := b.content()
	if err != nil {
		return err
	}
	defer c.Close()
	w, err := z.CreateHeader(&zip.FileHeader{Name: b.FileName, Method: zip.Deflate, Modified: b.modified})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, c)
	return err
}

// A countingWriter remembers what was sent, for the log.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader remembers the status.
func (c *countingWriter) WriteHeader(code int) {
	if c.status == 0 {
		c.status = code
	}
	c.ResponseWriter.WriteHeader(code)
}

// Write counts the bytes.
func (c *countingWriter) Write(p []byte) (int, error) {
	c.started()
	n, err := c.ResponseWriter.Write(p)
	c.bytes += int64(n)
	return n, err
}

// ReadFrom lets the system send files without copying them.
func (c *countingWriter) ReadFrom(r io.Reader) (int64, error) {
	c.started()
	n, err := io.Copy(c.ResponseWriter, r)
	c.bytes += n
	return n, err
}

func (c *countingWriter) started() {
	if c.status == 0 {
		c.status = http.StatusOK
	}
}
