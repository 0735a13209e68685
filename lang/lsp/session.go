package lsp

import (
	"context"
	"slices"

	"github.com/creachadair/jrpc2"
)

// initialize opens the project folder and says what the server can do.
func (s *server) initialize(_ context.Context, req *jrpc2.Request) (any, error) {
	var p initializeParams
	if err := req.UnmarshalParams(&p); err != nil {
		return nil, err
	}
	dir := s.folder(p)
	resolved := dir
	if s.opts.Resolve != nil {
		resolved = s.opts.Resolve(dir)
	}
	files, opts, err := s.opts.Open(resolved)
	if err != nil {
		return nil, jrpc2.Errorf(jrpc2.InternalError, "cannot open the project folder: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.project = project{dir: resolved, alias: dir, files: files, opts: opts}
	if slices.Contains(p.Capabilities.General.PositionEncodings, string(utf8Encoding)) {
		s.enc = utf8Encoding
	}
	s.snippets = p.Capabilities.TextDocument.Completion.CompletionItem.SnippetSupport
	s.watches = p.Capabilities.Workspace.DidChangeWatchedFiles.DynamicRegistration
	s.state = running
	return map[string]any{"capabilities": s.offer(), "serverInfo": map[string]string{"name": "flotobuild", "version": s.opts.Version}}, nil
}

// folder chooses the project folder.
func (s *server) folder(p initializeParams) string {
	if s.opts.Dir != "" {
		return s.opts.Dir
	}
	uris := []string{p.RootURI}
	for _, f := range p.WorkspaceFolders {
		uris = append(uris, f.URI)
	}
	for _, uri := range uris {
		if dir, ok := pathOfURI(uri); ok {
			return dir
		}
	}
	return s.opts.Default
}

func (s *server) offer() map[string]any {
	const incremental = 2
	return map[string]any{
		"positionEncoding": s.enc,
		"textDocumentSync": map[string]any{"openClose": true, "change": incremental, "save": true},
		"completionProvider": map[string]any{
			"triggerCharacters": []string{".", "\"", "{"},
		},
		"hoverProvider":              true,
		"definitionProvider":         true,
		"documentSymbolProvider":     true,
		"documentFormattingProvider": true,
	}
}

// initialized asks the editor to tell of files that change outside of it, and
// evaluates the project.
func (s *server) initialized(ctx context.Context, _ *jrpc2.Request) (any, error) {
	s.mu.Lock()
	watches := s.watches
	s.mu.Unlock()
	if watches {
		go s.watch(context.WithoutCancel(ctx))
	}
	s.changed()
	return nil, nil
}

func (s *server) watch(ctx context.Context) {
	watchers := []map[string]string{{"globPattern": "**/*.{hcl,hclvars,json,yaml,yml,tftpl}"}}
	_, err := s.rpc.Callback(ctx, "client/registerCapability", map[string]any{"registrations": []map[string]any{{
		"id": "files", "method": "workspace/didChangeWatchedFiles", "registerOptions": map[string]any{"watchers": watchers},
	}}})
	if err != nil {
		s.log(ctx, "The editor does not watch files: "+err.Error())
	}
}

func (s *server) shutdown(context.Context, *jrpc2.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = stopped
	return nil, nil
}

func (s *server) exit(context.Context, *jrpc2.Request) (any, error) {
	s.leave.Do(func() { close(s.exited) })
	return nil, nil
}

func (s *server) cancel(_ context.Context, req *jrpc2.Request) (any, error) {
	var p struct {
		ID rawID `json:"id"`
	}
	if err := req.UnmarshalParams(&p); err != nil {
		return nil, err
	}
	s.rpc.CancelRequest(string(p.ID))
	return nil, nil
}

// A rawID is a request's id as the editor wrote it.
type rawID []byte

// UnmarshalJSON implements json.Unmarshaler.
func (r *rawID) UnmarshalJSON(b []byte) error {
	*r = slices.Clone(b)
	return nil
}

func (s *server) didOpen(_ context.Context, req *jrpc2.Request) (any, error) {
	var p openParams
	if err := req.UnmarshalParams(&p); err != nil {
		return nil, err
	}
	d := p.TextDocument
	s.docs.put(document{uri: d.URI, name: s.nameOf(d.URI), version: d.Version, text: []byte(d.Text)})
	s.changed()
	return nil, nil
}

func (s *server) didChange(_ context.Context, req *jrpc2.Request) (any, error) {
	var p changeParams
	if err := req.UnmarshalParams(&p); err != nil {
		return nil, err
	}
	doc, ok := s.docs.get(p.TextDocument.URI)
	if !ok {
		return nil, nil
	}
	doc.text, doc.version = apply(doc.text, p.ContentChanges, s.encoding()), p.TextDocument.Version
	s.docs.put(doc)
	s.changed()
	return nil, nil
}

func (s *server) didClose(_ context.Context, req *jrpc2.Request) (any, error) {
	var p openParams
	if err := req.UnmarshalParams(&p); err != nil {
		return nil, err
	}
	s.docs.remove(p.TextDocument.URI)
	s.changed()
	return nil, nil
}

func (s *server) didSave(context.Context, *jrpc2.Request) (any, error) {
	s.changed()
	return nil, nil
}

func (s *server) didChangeFiles(context.Context, *jrpc2.Request) (any, error) {
	s.changed()
	return nil, nil
}

func (s *server) encoding() encoding {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enc
}

// nameOf gives the name of a file in the project, and nothing for others.
func (s *server) nameOf(uri string) string {
	s.mu.Lock()
	p := s.project
	s.mu.Unlock()
	abs, ok := pathOfURI(uri)
	if !ok {
		return ""
	}
	for _, dir := range []string{p.alias, p.dir} {
		if name, ok := within(dir, abs); ok {
			return name
		}
	}
	if s.opts.Resolve != nil {
		if name, ok := within(p.dir, s.opts.Resolve(abs)); ok {
			return name
		}
	}
	return ""
}

// uriOf gives the URI of a file of the project: the editor's own where it has
// the file open.
func (s *server) uriOf(name string) string {
	for _, d := range s.docs.all() {
		if d.name == name {
			return d.uri
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(name) > 0 && name[0] == '/' {
		return uriOfPath(name)
	}
	return uriOfPath(s.project.alias + "/" + name)
}
