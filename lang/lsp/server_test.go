package lsp

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/creachadair/jrpc2"
)

const (
	mainURI = "file:///p/main.floto.hcl"
	rootURI = "file:///p/roots/plant.root.hcl"
)

// plant is a project in which everything refers to something.
func plant() fstest.MapFS {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"main.floto.hcl": `variable "release" {
  description = "Version of the release."
  default     = "2.1.6"
}
variable "token" {
  sensitive = true
  default   = null
}
locals {
  registry = "registry.example/${var.release}"
}
image_set "plant" {
  image "historian" {
    rootfs = "a.tar"
  }
  image "gateway" {
    context = "images/gateway"
  }
}
module "line" {
  source = "./modules/line"
}
function "double" {
  params = [x]
  result = "${x}${x}"
}
root_definition "plant" {
  file       = "roots/plant.root.hcl"
  image_sets = [image_set.plant]
}
site "hamburg" {
  root_definition = root_definition.plant
  vars            = { domain = "hamburg.example" }
  patch {
    version = var.release
  }
}
`,
		"more.floto.hcl":              "locals {\n  other = local.registry\n}\n",
		"modules/line/line.floto.hcl": "output \"port\" {\n  value       = 4840\n  description = \"Port of the line.\"\n}\n",
		"roots/plant.root.hcl": `host "control" {
  address = "control.${site.vars.domain}"
}
container "historian" {
  image = "historian"
  host  = "control"
}
`,
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func TestDiagnosticsComeAndGo(t *testing.T) {
	files := plant()
	c := start(t, files, Options{})
	c.initialize()
	text := string(files["main.floto.hcl"].Data)
	c.open(mainURI, text)
	c.diagnostics(mainURI, none)

	// A misspelt reference, by an incremental change; the non-ASCII text before it
	// counts in UTF-16.
	line := strings.Count(text[:strings.Index(text, "  registry")], "\n")
	c.notify("textDocument/didChange", map[string]any{
		"textDocument": map[string]any{"uri": mainURI, "version": 2},
		"contentChanges": []map[string]any{
			{"range": textRange{position{line, 0}, position{line, 0}}, "text": "  größe = \"😀\" == var.relaese\n"},
		},
	})
	got := c.diagnostics(mainURI, some("Did you mean"))
	if want := (textRange{position{line, 18}, position{line, 29}}); len(got) != 1 || got[0].Range != want {
		t.Errorf("got %+v, want one diagnostic at %+v", got, want)
	}

	// Half typed: the file does not parse.
	c.notify("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": mainURI, "version": 3},
		"contentChanges": []map[string]any{{"text": text + "site \"x\" {\n"}},
	})
	c.diagnostics(mainURI, some("Unclosed configuration block"))

	// Mended.
	c.notify("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": mainURI, "version": 4},
		"contentChanges": []map[string]any{{"text": text}},
	})
	c.diagnostics(mainURI, none)

	// An error in a buffer shows in another file that is not open, and goes when
	// the buffer is closed without being saved.
	c.notify("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": mainURI, "version": 5},
		"contentChanges": []map[string]any{{"text": strings.Replace(text, "registry =", "registr =", 1)}},
	})
	c.diagnostics("file:///p/more.floto.hcl", some("registr"))
	c.notify("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": mainURI}})
	c.diagnostics("file:///p/more.floto.hcl", none)
	c.finish()
}

// finish ends the session in good order.
func (c *client) finish() {
	c.t.Helper()
	var result any
	c.call("shutdown", nil, &result)
	if m := c.request("textDocument/hover", where(mainURI, position{})); m.Error == nil || m.Error.Code != -32600 {
		c.t.Errorf("a request after shutdown gives %+v", m)
	}
	c.notify("exit", nil)
	if err := c.end(); err != nil {
		c.t.Errorf("the session ends with %v", err)
	}
}

func TestSensitiveValuesAreMasked(t *testing.T) {
	files := plant()
	text := strings.Replace(string(files["main.floto.hcl"].Data), "default   = null", "default   = \"s3cret\"", 1)
	text = strings.Replace(text, "locals {\n", "locals {\n  copy = \"x-${var.token}\"\n  bad = local.cop\n  args = parseint(var.token, 10)\n", 1)
	c := start(t, files, Options{})
	c.initialize()
	c.open(mainURI, text)
	for _, d := range c.diagnostics(mainURI, some("cop")) {
		if strings.Contains(d.Message, "s3cret") {
			t.Errorf("a diagnostic shows the secret: %s", d.Message)
		}
	}
	for _, word := range []string{"var.token", "copy =", "copy"} {
		at := strings.Index(text, word) + len(word) - 2
		m := c.request("textDocument/hover", where(mainURI, newLineIndex([]byte(text), utf16Encoding).position(at)))
		if strings.Contains(string(m.Result), "s3cret") {
			t.Errorf("hover shows the secret: %s", m.Result)
		}
		if word == "var.token" && !strings.Contains(string(m.Result), "(sensitive value)") {
			t.Errorf("hover does not say that the value is sensitive: %s", m.Result)
		}
	}
}

func TestLifecycle(t *testing.T) {
	c := start(t, plant(), Options{})
	if m := c.request("textDocument/hover", where(mainURI, position{})); m.Error == nil || m.Error.Code != serverNotInitialized {
		t.Errorf("a request before initialize gives %+v", m)
	}
	var result struct {
		Capabilities struct {
			PositionEncoding string `json:"positionEncoding"`
		} `json:"capabilities"`
	}
	c.call("initialize", map[string]any{"capabilities": map[string]any{"general": map[string]any{"positionEncodings": []string{"utf-16", "utf-8"}}}}, &result)
	if result.Capabilities.PositionEncoding != "utf-8" {
		t.Errorf("the encoding is %q", result.Capabilities.PositionEncoding)
	}
	if m := c.request("initialize", map[string]any{}); m.Error == nil || m.Error.Code != -32600 {
		t.Errorf("a second initialize gives %+v", m)
	}
	if m := c.request("textDocument/nonsense", map[string]any{}); m.Error == nil || m.Error.Code != -32601 {
		t.Errorf("an unknown method gives %+v", m)
	}
	if m := c.request("textDocument/hover", []int{1}); m.Error == nil || m.Error.Code != -32602 {
		t.Errorf("wrong parameters give %+v", m)
	}
	c.notify("textDocument/nonsense", map[string]any{})
	c.notify("$/cancelRequest", map[string]any{"id": "unknown"})
	if err := c.stream.Send([]byte("{no json")); err != nil {
		t.Fatal(err)
	}
	c.finish()
}

// TestOrder sends everything at once: what was asked first is answered first.
func TestOrder(t *testing.T) {
	c := start(t, plant(), Options{})
	_, first := c.begin("initialize", map[string]any{"rootUri": "file:///p"})
	text, p := marked(t, "locals {\n  x = upp▮er(1)\n}\n")
	c.open(mainURI, text)
	var hovers []chan message
	for range 50 {
		_, answer := c.begin("textDocument/hover", where(mainURI, p))
		hovers = append(hovers, answer)
	}
	c.notify("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": mainURI}})
	_, last := c.begin("shutdown", nil)
	for _, answer := range append(hovers, first, last) {
		if m := c.await("a request", answer); m.Error != nil || len(m.Result) < 10 && answer != last {
			t.Errorf("got %+v", m)
		}
	}
	c.notify("exit", nil)
	if err := c.end(); err != nil {
		t.Errorf("the session ends with %v", err)
	}
}

func TestExitWithoutShutdown(t *testing.T) {
	c := start(t, plant(), Options{})
	c.initialize()
	c.notify("exit", nil)
	if err := c.end(); !errors.Is(err, ErrNoShutdown) {
		t.Errorf("the session ends with %v", err)
	}
	c = start(t, plant(), Options{})
	c.initialize()
	c.stream.out.Close()
	if err := c.end(); !errors.Is(err, ErrNoShutdown) {
		t.Errorf("the session ends with %v", err)
	}
}

func TestMalformedFramesEndTheSession(t *testing.T) {
	for name, frame := range map[string]string{
		"huge":      "Content-Length: 99999999999\r\n\r\n",
		"negative":  "Content-Length: -1\r\n\r\n",
		"no length": "Content-Type: x\r\n\r\n{}",
		"no header": "hello\r\n\r\n",
		"truncated": "Content-Length: 10\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, plant(), Options{})
			c.initialize()
			if _, err := c.stream.out.Write([]byte(frame)); err != nil {
				t.Fatal(err)
			}
			if name == "truncated" {
				c.stream.out.Close()
			}
			if err := c.end(); err == nil || !strings.Contains(err.Error(), "cannot read a message") {
				t.Errorf("the session ends with %v", err)
			}
		})
	}
}

// TestRequestsThatGoWrong has a request that is cancelled, and one that panics;
// the session goes on.
func TestRequestsThatGoWrong(t *testing.T) {
	began := make(chan bool)
	c := startWith(t, plant(), Options{}, map[string]method{
		"slow": func(ctx context.Context, _ *jrpc2.Request) (any, error) {
			began <- true
			<-ctx.Done()
			return "too late", nil
		},
		"bad": func(context.Context, *jrpc2.Request) (any, error) { panic("a mistake") },
	})
	c.initialize()
	id, answer := c.begin("slow", map[string]any{})
	<-began
	c.notify("$/cancelRequest", map[string]any{"id": id})
	if m := c.await("slow", answer); m.Error == nil || m.Error.Code != requestCancelled {
		t.Errorf("a cancelled request gives %+v", m)
	}
	if m := c.request("bad", map[string]any{}); m.Error == nil || m.Error.Code != -32603 || !strings.Contains(m.Error.Message, "a mistake") {
		t.Errorf("a panic gives %+v", m)
	}
	c.finish()
}
