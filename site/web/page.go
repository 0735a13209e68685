package web

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/flotobuild/flotobuild/patch"
)

//go:embed templates static
var files embed.FS

// pages are the templates of the pages by name, each within the frame.
type pages map[string]*template.Template

// parsePages reads the embedded templates, which are part of the program.
func parsePages() pages {
	out := make(pages)
	frame := template.Must(template.New("base.html").Funcs(words).ParseFS(files, "templates/base.html"))
	for _, name := range []string{"overview", "patch", "task", "history", "vars", "space", "login", "problem"} {
		out[name] = template.Must(template.Must(frame.Clone()).ParseFS(files, "templates/"+name+".html"))
	}
	return out
}

// words are what templates call.
var words = template.FuncMap{
	"plain": plain, "bytes": byteSize, "stamp": stamp, "percent": percent, "short": short, "count": count, "label": label, "segment": url.PathEscape,
	"kind":       func(k string) string { return strings.ToUpper(k[:1]) + k[1:] },
	"mark":       func(c patch.Change) string { return marks[c] },
	"stateClass": func(s State) string { return stateClasses[s] },
}

var marks = map[patch.Change]string{patch.Added: "+", patch.Removed: "-", patch.Changed: "~", patch.Same: " "}

var stateClasses = map[State]string{Running: "busy", Done: "good", Failed: "bad", Cancelled: "bad"}

// A page is what the frame shows, with the data of the part within it.
type page struct {
	Title   string
	Site    string
	Path    string
	Version string
	You     *identity
	Known   bool      // whether who asks may see the other pages
	Task    *TaskInfo // what is being done; nil also on the page of a task
	Refresh bool      // load again by and by where there are no scripts
	Data    any
}

// show answers with a page.
func (s *Server) show(w http.ResponseWriter, r *http.Request, status int, name, title string, data any) {
	you := who(r)
	p := page{
		Title: title, Site: s.site.Name(), Path: r.URL.Path, Version: s.opts.Version,
		You: you, Known: you.Role != "", Data: data,
	}
	if p.Known && name != "task" {
		p.Task = s.tasks.current()
	}
	if t, ok := data.(*taskView); ok {
		p.Refresh = t.Task.State == Running
	}
	s.render(w, r, status, name, p)
}

func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	var b bytes.Buffer
	if err := s.pages[name].Execute(&b, p); err != nil {
		s.opts.Log.Error("cannot make page", "page", name, "path", r.URL.Path, "error", err.Error())
		http.Error(w, "the page cannot be made; the server's log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // who has gone away needs no answer
}

// staticFiles gives style, script and icon, which browsers may keep as long as
// the server says that they are the same.
func staticFiles() http.Handler {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	serve := http.StripPrefix("/static/", http.FileServerFS(static))
	tags := staticTags(static)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tag, ok := tags[strings.TrimPrefix(r.URL.Path, "/static/")]
		if !ok {
			http.NotFound(w, r) // folders too
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		serve.ServeHTTP(w, r)
	})
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	next := r.URL.Query().Get("next")
	if next == "" {
		next = r.PostFormValue("next")
	}
	s.show(w, r, status, "login", "Sign in", struct{ Next, Problem, Site string }{localPath(next), problem, s.site.Name()})
}

func (s *Server) problemPage(w http.ResponseWriter, r *http.Request, status int, why string) {
	title := http.StatusText(status)
	switch status {
	case http.StatusForbidden:
		title = "Not allowed"
	case http.StatusNotFound:
		title = "Not found"
	case http.StatusUnprocessableEntity:
		title = "Not taken"
	case http.StatusConflict:
		title = "Not now"
	case http.StatusInternalServerError:
		title = "That went wrong"
	}
	s.show(w, r, status, "problem", title, struct{ Title, Why string }{title, upper(why)})
}

// upper makes a sentence of an error.
func upper(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
