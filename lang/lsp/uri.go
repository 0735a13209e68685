package lsp

import (
	"net/url"
	"path"
	"strings"
)

// pathOfURI gives the absolute path of a file URI, with slashes. It is false for
// URIs that name no local file.
func pathOfURI(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" || !path.IsAbs(u.Path) || strings.Contains(u.Path, "\x00") {
		return "", false
	}
	return path.Clean(u.Path), true
}

// uriOfPath writes an absolute path as file URI.
func uriOfPath(name string) string {
	return (&url.URL{Scheme: "file", Path: name}).String()
}

// within gives a path relative to a folder, where it lies in the folder.
func within(dir, name string) (string, bool) {
	if name == dir {
		return ".", true
	}
	return strings.CutPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}
