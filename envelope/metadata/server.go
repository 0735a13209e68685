package metadata

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// DeviceURL is where applications on a device find its metadata server.
const DeviceURL = "http://169.254.169.254"

// root is the part of the metadata server that is about patch envelopes.
const root = "/eve/v1/patch/"

// Options set up a server.
type Options struct {
	// Apps gives the UUID of the application at a source address. The narrowest
	// prefix counts.
	Apps Apps
	// BaseURL starts the URLs in descriptions; DeviceURL where it is empty.
	BaseURL string
	// Log gets a line for each request, and no content.
	Log *slog.Logger
}

// A Server answers the requests of applications. It is safe for concurrent use.
type Server struct {
	opts  Options
	state atomic.Pointer[State]
	usage usage
}

// NewServer makes a server that shows nothing yet.
func NewServer(opts Options) *Server {
	if opts.BaseURL == "" {
		opts.BaseURL = DeviceURL
	}
	opts.BaseURL = strings.TrimSuffix(opts.BaseURL, "/")
	s := &Server{opts: opts}
	s.state.Store(new(State))
	return s
}

// Show makes later requests see another state.
func (s *Server) Show(state *State) { s.state.Store(state) }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start, counted := time.Now(), &countingWriter{ResponseWriter: w}
	q := &request{Server: s, w: counted, r: r, source: sourceOf(r)}
	defer func() {
		s.opts.Log.Info("request", "method", r.Method, "path", r.URL.EscapedPath(), "source", q.source.String(), "app", q.app,
			"status", counted.status, "bytes", counted.bytes, "duration", time.Since(start).String())
	}()
	q.answer()
}

func sourceOf(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// A request is one on its way to an answer.
type request struct {
	*Server
	w       http.ResponseWriter
	r       *http.Request
	source  netip.Addr
	app     string
	patches []*patch
}

func (q *request) answer() {
	if q.r.Method != http.MethodGet && q.r.Method != http.MethodHead {
		q.w.Header().Set("Allow", "GET, HEAD")
		q.w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	path := q.r.URL.Path
	if q.r.URL.RawPath != "" {
		path = q.r.URL.RawPath // an escaped slash is no slash, and no blob's name has one
	}
	rest, ok := strings.CutPrefix(path, root)
	if !ok {
		http.NotFound(q.w, q.r)
		return
	}
	if q.app, ok = q.opts.Apps.find(q.source); !ok {
		q.w.WriteHeader(http.StatusNoContent)
		return
	}
	if q.patches = q.state.Load().visible(q.app); len(q.patches) == 0 {
		q.fail(http.StatusNotFound, "No envelopes for "+q.app)
		return
	}
	q.route(strings.Split(rest, "/"))
}

// route takes the path as it came: names are looked up, never opened.
func (q *request) route(path []string) {
	switch {
	case len(path) == 1 && path[0] == "description.json":
		q.describe()
	case len(path) == 2 && path[0] == "download" && path[1] != "":
		q.archive(path[1])
	case len(path) == 3 && path[0] == "download":
		q.download(path[1], path[2])
	default:
		http.NotFound(q.w, q.r)
	}
}

// fail answers as a device does: JSON that is called text.
func (q *request) fail(code int, message string) {
	q.w.Header().Set("Content-Type", "text/plain")
	q.w.WriteHeader(code)
	fmt.Fprintf(q.w, `{"message": "%s"}`, message)
}

// A description is an envelope in description.json.
type description struct {
	PatchID     string
	Version     string
	BinaryBlobs []blobInfo
	VolumeRefs  []volumeRef
}

func (q *request) describe() {
	all := make([]description, 0, len(q.patches))
	for _, p := range q.patches {
		d := description{PatchID: p.id, Version: p.version, VolumeRefs: p.pending}
		for _, b := range p.blobs {
			info := b.blobInfo
			info.URL = q.opts.BaseURL + root + "download/" + p.id + "/" + b.FileName
			d.BinaryBlobs = append(d.BinaryBlobs, info)
		}
		all = append(all, d)
		q.usage.described(q.app, p.id)
	}
	b, err := json.Marshal(all)
	if err != nil {
		q.problem("description", err)
		return
	}
	q.w.Header().Set("Content-Type", "application/json")
	_, _ = q.w.Write(b) // who has gone away needs no answer
}

// problem logs what went wrong and tells the client no details.
func (q *request) problem(what string, err error) {
	q.opts.Log.Error("cannot answer", "what", what, "app", q.app, "error", err.Error())
	q.fail(http.StatusInternalServerError, "failed to read "+what)
}
