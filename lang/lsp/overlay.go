package lsp

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// An overlay is a file system in which open documents stand for the files on the
// disk. It does not change.
type overlay struct {
	base fs.FS
	docs map[string][]byte // by name in base
}

// Open implements fs.FS.
func (o *overlay) Open(name string) (fs.File, error) {
	text, ok := o.docs[name]
	if !ok {
		return o.base.Open(name)
	}
	return &openDocument{docInfo{path.Base(name), int64(len(text))}, bytes.NewReader(text)}, nil
}

// Stat implements fs.StatFS.
func (o *overlay) Stat(name string) (fs.FileInfo, error) {
	if text, ok := o.docs[name]; ok {
		return docInfo{path.Base(name), int64(len(text))}, nil
	}
	return fs.Stat(o.base, name)
}

// ReadDir implements fs.ReadDirFS. Documents that were never saved are in the
// list.
func (o *overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.base, name)
	if err != nil {
		return entries, err
	}
	entries = slices.DeleteFunc(slices.Clone(entries), func(e fs.DirEntry) bool {
		_, open := o.docs[path.Join(name, e.Name())]
		return open
	})
	for doc, text := range o.docs {
		if path.Dir(doc) == path.Clean(name) {
			entries = append(entries, fs.FileInfoToDirEntry(docInfo{path.Base(doc), int64(len(text))}))
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// docInfo is the fs.FileInfo of an open document.
type docInfo struct {
	name string
	size int64
}

func (d docInfo) Name() string     { return d.name }
func (d docInfo) Size() int64      { return d.size }
func (docInfo) Mode() fs.FileMode  { return 0o444 }
func (docInfo) ModTime() time.Time { return time.Time{} }
func (docInfo) IsDir() bool        { return false }
func (docInfo) Sys() any           { return nil }

// An openDocument is the fs.File of one.
type openDocument struct {
	info docInfo
	*bytes.Reader
}

func (d *openDocument) Stat() (fs.FileInfo, error) { return d.info, nil }
func (*openDocument) Close() error                 { return nil }
