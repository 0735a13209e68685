package lang

import (
	"encoding/json"
	"fmt"
	"strings"
)

// schemaDraft is what editors' JSON services understand best; they know parts
// of later drafts only.
const schemaDraft = "http://json-schema.org/draft-07/schema#"

// object is a JSON object in the making.
type object = map[string]any

// JSONSchema gives a JSON Schema for the JSON syntax, *.floto.hcl.json. With
// override set it is one for override files, where nothing is required. It
// accepts what the decoder accepts as far as that shows without evaluation,
// except that one block may not be split over an array within an array. Equal
// versions give equal bytes.
func JSONSchema(override bool) ([]byte, error) {
	s := schemaWriter{partial: override, definitions: object{}}
	file := s.body(Describe().Project, "")
	s.definitions["file"] = file
	whole := object{"$ref": "#/definitions/file"}
	b, err := json.MarshalIndent(object{
		"$schema":     schemaDraft,
		"title":       "flotobuild configuration",
		"anyOf":       []any{whole, object{"type": "array", "items": whole}}, // an array's objects are one body
		"definitions": s.definitions,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("cannot write the schema: %w", err)
	}
	return append(b, '\n'), nil
}

// A schemaWriter collects the definitions of blocks by their paths.
type schemaWriter struct {
	partial     bool
	definitions object
}

// body describes what stands in a block; path is that of the block.
func (s *schemaWriter) body(b *BlockType, path string) object {
	properties := object{"//": object{"description": "A comment."}}
	var required []string
	for _, a := range b.Attributes {
		properties[a.Name] = attributeSchema(a)
		if a.Required && !s.partial {
			required = append(required, a.Name)
		}
	}
	for _, c := range b.Blocks {
		properties[c.Name] = s.blocks(c, strings.TrimPrefix(path+"."+c.Name, "."))
	}
	if b.Dynamic {
		properties[dynamicKind] = s.dynamic(b, path)
	}
	out := describe(object{"type": "object", "properties": properties, "additionalProperties": b.Free}, b.Doc)
	if required != nil {
		out["required"] = required
	}
	return out
}

// blocks describes one or several blocks of a kind, whose labels are the keys
// of objects around them.
func (s *schemaWriter) blocks(b *BlockType, path string) object {
	if s.definitions[path] == nil {
		s.definitions[path] = s.body(b, path)
	}
	return describe(labelled(len(b.Labels), object{"$ref": "#/definitions/" + path}), b.Doc)
}

// labelled wraps a body into its labels. Wherever an object may stand, so may
// an array of objects.
func labelled(labels int, body object) object {
	if labels == 0 {
		return object{"anyOf": []any{body, object{"type": "array", "items": body}, object{"type": "null"}}}
	}
	inner := object{"type": "object", "additionalProperties": labelled(labels-1, body), "minProperties": 1}
	return object{"anyOf": []any{inner, object{"type": "array", "items": inner, "minItems": 1}}}
}

// dynamic describes the dynamic blocks of a body.
func (s *schemaWriter) dynamic(parent *BlockType, path string) object {
	kinds := object{}
	for _, c := range parent.Blocks {
		if !c.Fixed {
			kinds[c.Name] = s.generator(c, strings.TrimPrefix(path+"."+c.Name, "."))
		}
	}
	d := DynamicBlock()
	inner := object{"type": "object", "properties": kinds, "additionalProperties": false}
	return describe(object{"anyOf": []any{inner, object{"type": "array", "items": inner}}}, d.Doc)
}

// generator describes a dynamic block that makes blocks of a kind.
func (s *schemaWriter) generator(kind *BlockType, path string) object {
	s.blocks(kind, path)
	d := DynamicBlock()
	content := d.Block("content")
	d.Blocks = nil
	out := s.body(d, path)
	out["properties"].(object)[content.Name] = labelled(0, object{"$ref": "#/definitions/" + path})
	if required, ok := out["required"].([]string); ok {
		out["required"] = append(required, content.Name)
	}
	return labelled(0, out)
}

// attributeSchema describes an attribute's value.
func attributeSchema(a Attribute) object {
	out := describe(object{}, a.Doc)
	if a.Type != anyType {
		out["anyOf"] = valueSchemas(a)
	}
	var preset any
	if json.Unmarshal([]byte(a.Default), &preset) == nil {
		out["default"] = preset
	}
	return out
}

func valueSchemas(a Attribute) []any {
	var out []any
	if a.Values != nil {
		out = []any{object{"enum": a.Values}, templateSchema}
	} else {
		for _, t := range alternatives(a.Type) {
			out = append(out, typeSchemas(t)...)
		}
	}
	if !a.Required && !a.NotNull {
		out = append(out, object{"type": "null"})
	}
	return out
}

// templateSchema is a string that is computed.
var templateSchema = object{"type": "string", "pattern": `[$%]\{`}

// typeSchemas describes the values of a type. Strings are templates, so that a
// template can stand for everything.
func typeSchemas(t string) []any {
	inner := func(prefix string) any {
		var all []any
		for _, e := range alternatives(strings.TrimSuffix(strings.TrimPrefix(t, prefix), ")")) {
			all = append(all, typeSchemas(e)...)
		}
		return object{"anyOf": all}
	}
	switch {
	case t == anyType:
		return []any{object{}}
	case t == textType:
		return []any{object{"type": []string{"string", "number", "boolean"}}}
	case t == typeType, t == nameType:
		return []any{object{"type": "string"}}
	case t == flagType:
		return []any{object{"type": "boolean"}, object{"enum": []string{"true", "false"}}, templateSchema}
	case t == numberType:
		return []any{object{"type": "number"}, object{"type": "string", "pattern": `^[-+.0-9eE]+$`}, templateSchema}
	case strings.HasPrefix(t, "list("):
		return []any{object{"type": "array", "items": inner("list(")}, templateSchema}
	case strings.HasPrefix(t, "map("):
		element := inner("map(").(object)
		element["anyOf"] = append(element["anyOf"].([]any), object{"type": "null"})
		return []any{object{"type": "object", "additionalProperties": element}, templateSchema}
	case strings.HasPrefix(t, "object("):
		return []any{object{"type": "object"}, templateSchema}
	}
	return []any{templateSchema} // references, and sets, which JSON cannot write
}

// alternatives splits a type at each "|" that stands in no brackets.
func alternatives(t string) []string {
	var out []string
	depth, start := 0, 0
	for i, c := range t {
		switch c {
		case '(', '{', '[':
			depth++
		case ')', '}', ']':
			depth--
		case '|':
			if depth == 0 {
				out = append(out, strings.TrimSpace(t[start:i]))
				start = i + 1
			}
		}
	}
	return append(out, strings.TrimSpace(t[start:]))
}

// describe adds a text, as plain text and as the Markdown that some editors
// show instead.
func describe(o object, doc string) object {
	if doc != "" {
		o["description"] = strings.ReplaceAll(doc, "`", "")
		o["markdownDescription"] = doc
	}
	return o
}
