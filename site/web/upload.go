package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/flotobuild/flotobuild/site/incoming"
)

// Uploads follow the protocol tus 1.0.0 (https://tus.io/protocols/resumable-upload)
// with its extensions creation and termination, so that any of its clients can
// send patches.
const (
	tusVersion    = "1.0.0"
	tusExtensions = "creation,termination"
	offsetType    = "application/offset+octet-stream"
)

// maxMetadata bounds what a client says of an upload, in bytes.
const maxMetadata = 4 << 10

func tusOptions(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Tus-Resumable", tusVersion)
	h.Set("Tus-Version", tusVersion)
	h.Set("Tus-Extension", tusExtensions)
	w.WriteHeader(http.StatusNoContent)
}

// tus refuses clients of another version of the protocol.
func tus(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Tus-Resumable", tusVersion)
		if v := r.Header.Get("Tus-Resumable"); v != tusVersion {
			w.Header().Set("Tus-Version", tusVersion)
			http.Error(w, fmt.Sprintf("the header Tus-Resumable is %q, and this server speaks %s", v, tusVersion), http.StatusPreconditionFailed)
			return
		}
		next(w, r)
	}
}

func (s *Server) apiUploads(w http.ResponseWriter, r *http.Request) {
	uploads, err := s.incoming.Uploads()
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, map[string]any{"formatVersion": apiVersion, "uploads": append([]incoming.Upload{}, uploads...)})
}

func (s *Server) beginUpload(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64)
	if err != nil || size <= 0 {
		s.refuse(w, r, http.StatusBadRequest, "the header Upload-Length must say how many bytes the file has")
		return
	}
	name, err := fileName(r.Header.Get("Upload-Metadata"))
	if err != nil {
		s.refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	u, err := s.incoming.Begin(name, size, who(r).Name)
	if err != nil {
		s.broken(w, r, err)
		return
	}
	w.Header().Set("Location", "/api/v1/uploads/"+u.ID)
	w.Header().Set("Upload-Offset", "0")
	s.answer(w, r, http.StatusCreated, u)
}

// fileName gives what metadata has as filename.
func fileName(metadata string) (string, error) {
	if len(metadata) > maxMetadata {
		return "", errors.New("the header Upload-Metadata is too long")
	}
	for pair := range strings.SplitSeq(metadata, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if key != "filename" {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return "", errors.New("the filename in the header Upload-Metadata is no base64")
		}
		return string(b), nil
	}
	return "", errors.New("the header Upload-Metadata has no filename")
}

func (s *Server) uploadOffset(w http.ResponseWriter, r *http.Request) {
	u, err := s.incoming.Upload(r.PathValue("upload"))
	if err != nil {
		w.WriteHeader(statusOf(err)) // an answer to HEAD has no body
		return
	}
	w.Header().Set("Upload-Offset", strconv.FormatInt(u.Offset, 10))
	w.Header().Set("Upload-Length", strconv.FormatInt(u.Size, 10))
	w.WriteHeader(http.StatusOK)
}

func (s *Server) appendUpload(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != offsetType {
		s.refuse(w, r, http.StatusUnsupportedMediaType, "the body of an upload has the type "+offsetType)
		return
	}
	offset, err := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || offset < 0 {
		s.refuse(w, r, http.StatusBadRequest, "the header Upload-Offset must say where the body belongs")
		return
	}
	u, err := s.incoming.Append(r.Context(), r.PathValue("upload"), offset, r.Body)
	if u != nil {
		w.Header().Set("Upload-Offset", strconv.FormatInt(u.Offset, 10))
	}
	if err != nil {
		s.broken(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) removeUpload(w http.ResponseWriter, r *http.Request) {
	if err := s.incoming.Remove(r.PathValue("upload")); err != nil {
		s.broken(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
