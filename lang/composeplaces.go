package lang

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"gopkg.in/yaml.v3"
)

// at is the place of what a way of keys and positions leads to from a node:
// at(s.rng, s.body, "volumes", "2", "source"). Where the file has less than the
// whole way, it is the place of what there is, and in the end fallback.
func (c *composeReader) at(fallback hcl.Range, n *yaml.Node, way ...string) hcl.Range {
	for _, key := range way {
		if n = elementOf(n, key); n == nil {
			break
		}
		fallback = c.rng(n)
	}
	return fallback
}

// elementOf is a mapping's member or a list's element.
func elementOf(n *yaml.Node, key string) *yaml.Node {
	depth := 10
	n = resolveAlias(n, &depth)
	if n == nil || n.Kind != yaml.SequenceNode {
		return member(n, key)
	}
	i, err := strconv.Atoi(key)
	if err != nil || i < 0 || i >= len(n.Content) {
		return nil
	}
	return n.Content[i]
}

// find is the place of a text's first occurrence in the file.
func (c *composeReader) find(text string) hcl.Range {
	before, _, ok := strings.Cut(string(c.src), text)
	if !ok {
		return fileRange(c.name)
	}
	line := strings.Count(before, "\n") + 1
	last := before[strings.LastIndex(before, "\n")+1:]
	return c.lineRange(line, len([]rune(last))+1, len([]rune(text)))
}

// placeOf is the service that a message of the form "services.NAME…" is about,
// and what the message names in it.
func (f *composeFile) placeOf(message string) hcl.Range {
	best, length := fileRange(f.reader.name), 0
	for _, s := range f.services {
		n := len(s.name)
		if n <= length {
			continue
		}
		if _, rest, ok := strings.Cut(message, "services."+s.name); ok {
			best, length = f.reader.at(s.rng, s.body, wayOf(rest)...), n
		} else if strings.Contains(message, `service "`+s.name+`"`) {
			best, length = s.rng, n
		}
	}
	return best
}

// wayOf reads the keys and positions at the beginning of what follows a
// service's name in a message: ".volumes.[2].source must be …".
func wayOf(text string) []string {
	text, _, _ = strings.Cut(text, " ")
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".[]:", r) })
}
