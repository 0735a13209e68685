package lang

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"gopkg.in/yaml.v3"
)

// A composeFile is a parsed Compose file.
type composeFile struct {
	doc      *yaml.Node // the whole mapping
	services []composeService
	reader   *composeReader
	broken   bool                // has problems that have been reported
	decoded  any                 // of doc; nil until needed
	checked  map[string][]string // problems by digest of what was checked
}

// A composeService is a service as written.
type composeService struct {
	name     string
	rng      hcl.Range
	image    string // may hold variables
	imageRng hcl.Range
	body     *yaml.Node
}

// readCompose reads the services of a Compose file and the images that they
// name.
func (p *project) readCompose(name string, src []byte) *rootFile {
	p.files[name] = &hcl.File{Bytes: src}
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(src))
	err := d.Decode(&doc)
	c := &composeReader{project: p, name: name, src: src}
	if err != nil && !errors.Is(err, io.EOF) {
		p.report(c.syntaxError(err))
		return nil
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		p.report(failure(fileRange(name), "Invalid YAML", "The Compose file holds more than one document. Put everything into one."))
		return nil
	}
	services := c.services(&doc)
	if services == nil {
		return nil
	}
	f := &composeFile{doc: doc.Content[0], reader: c, checked: make(map[string][]string)}
	before := len(p.diags)
	first := make(map[string]*yaml.Node)
	for i := 0; i+1 < len(services.Content); i += 2 {
		key := services.Content[i]
		if prev := first[key.Value]; prev != nil {
			p.report(failure(c.rng(key), "Duplicate service", "A service %q stands already at %s. Remove one of them, or rename it.", key.Value, place(c.rng(prev))))
			continue
		}
		first[key.Value] = key
		c.service(f, services, key, services.Content[i+1])
	}
	f.broken = len(p.diags) > before
	return &rootFile{name: name, compose: f}
}

// A composeReader reports problems of one Compose file.
type composeReader struct {
	project *project
	name    string
	src     []byte
}

func (c *composeReader) services(doc *yaml.Node) *yaml.Node {
	var services *yaml.Node
	if len(doc.Content) > 0 {
		services = member(doc.Content[0], "services")
	}
	if services == nil || services.Kind != yaml.MappingNode {
		c.project.report(failure(fileRange(c.name), "No services in the Compose file",
			"A Compose file needs a mapping services: with at least one service."))
		return nil
	}
	return services
}

func (c *composeReader) service(f *composeFile, services, key, body *yaml.Node) {
	out := composeService{name: key.Value, rng: c.rng(key), body: body}
	if !validName.MatchString(key.Value) {
		c.project.report(failure(out.rng, "Invalid name",
			"%q is no name for a service: a name begins with a letter or digit, goes on with letters, digits, dots, - and _, and has 128 characters at most.", key.Value))
	}
	image := c.image(services, body)
	switch {
	case image == nil:
		c.project.report(failure(out.rng, "Service without image",
			"The service %q needs image: with the name of an image of the root definition's image sets. Sites have no network to build or pull with.", key.Value))
		return
	case image.Kind != yaml.ScalarNode:
		c.project.report(failure(c.rng(image), "Wrong type", "The image of a service is a name."))
		return
	}
	out.image, out.imageRng = image.Value, c.rng(image)
	f.services = append(f.services, out)
}

// image finds the image of a service: its own, or that of the service of the
// same file that it extends.
func (c *composeReader) image(services, body *yaml.Node) *yaml.Node {
	for range maxExtends {
		if image := member(body, "image"); image != nil {
			return image
		}
		base := member(body, "extends")
		if base != nil && base.Kind == yaml.MappingNode {
			base = member(base, "service")
		}
		if base == nil || base.Kind != yaml.ScalarNode {
			return nil
		}
		body = member(services, base.Value)
	}
	return nil
}

// maxExtends bounds a chain of services that extend each other, which may be a
// ring.
const maxExtends = 20

// member returns the value of a mapping's key, through aliases and merge keys.
func member(n *yaml.Node, key string) *yaml.Node {
	return memberWithin(n, key, 10)
}

// memberWithin follows at most depth aliases, which may form a ring.
func memberWithin(n *yaml.Node, key string, depth int) *yaml.Node {
	n = resolveAlias(n, &depth)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var merged *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case key:
			return resolveAlias(n.Content[i+1], &depth)
		case "<<":
			if merged == nil && depth > 0 {
				merged = mergedMember(n.Content[i+1], key, depth-1)
			}
		}
	}
	return merged
}

// mergedMember looks into the mapping or the list of mappings of a merge key.
func mergedMember(n *yaml.Node, key string, depth int) *yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return memberWithin(n, key, depth)
	}
	for _, e := range n.Content {
		if v := memberWithin(e, key, depth); v != nil {
			return v
		}
	}
	return nil
}

func resolveAlias(n *yaml.Node, depth *int) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		if *depth--; *depth < 0 {
			return nil
		}
		n = n.Alias
	}
	return n
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func (c *composeReader) syntaxError(err error) *hcl.Diagnostic {
	line, text := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = m[2]
		if n, convErr := strconv.Atoi(m[1]); convErr == nil {
			line = n
		}
	}
	return failure(c.lineRange(line, 1, 0), "Invalid YAML", "The Compose file cannot be read: %s.", text)
}

// rng is the place of a scalar.
func (c *composeReader) rng(n *yaml.Node) hcl.Range {
	width := utf8.RuneCountInString(n.Value)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		width += 2
	}
	return c.lineRange(n.Line, n.Column, width)
}

// lineRange makes a range of width characters on one line.
func (c *composeReader) lineRange(line, column, width int) hcl.Range {
	start := 0
	for i := 1; i < line; i++ {
		n := bytes.IndexByte(c.src[start:], '\n')
		if n < 0 {
			break
		}
		start += n + 1
	}
	text, _, _ := strings.Cut(string(c.src[start:]), "\n")
	from := byteOffset(text, column-1)
	to := from + byteOffset(text[from:], width)
	return hcl.Range{
		Filename: c.name,
		Start:    hcl.Pos{Line: line, Column: column, Byte: start + from},
		End:      hcl.Pos{Line: line, Column: column + width, Byte: start + to},
	}
}

// byteOffset is the position of the nth character, or the text's end.
func byteOffset(text string, n int) int {
	for i := range text {
		if n <= 0 {
			return i
		}
		n--
	}
	return len(text)
}
