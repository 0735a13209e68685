package lang

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Limits that keep the recursive parser and evaluator within their stack. People
// do not come near them.
const (
	maxNesting   = 200  // brackets, templates and unary operators within each other
	maxOperators = 2000 // operators of one expression
	maxExponent  = 5    // characters of a number's exponent, sign included
	nestingLimit = "Split it with local values."
)

// checkNesting refuses sources that would exhaust the stack.
func checkNesting(name string, src []byte) *hcl.Diagnostic {
	if strings.HasSuffix(name, ".json") {
		return checkJSONNesting(name, src)
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	return measure(tokens)
}

// checkTemplateNesting does the same for the source of a template.
func checkTemplateNesting(name string, src []byte) *hcl.Diagnostic {
	tokens, _ := hclsyntax.LexTemplate(src, name, hcl.InitialPos)
	return measure(tokens)
}

func measure(tokens hclsyntax.Tokens) *hcl.Diagnostic {
	var m nestingMeter
	for _, t := range tokens {
		if d := m.add(t); d != nil {
			return d
		}
	}
	return nil
}

// A nestingMeter follows a stream of tokens.
type nestingMeter struct {
	depth, unary, operators, brackets int
	directive                         bool // the last token opened a template directive
}

func (m *nestingMeter) add(t hclsyntax.Token) *hcl.Diagnostic {
	switch t.Type {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		m.depth++
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
		hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
		m.depth--
	case hclsyntax.TokenNewline:
		if m.brackets == 0 {
			m.operators = 0
		}
	case hclsyntax.TokenNumberLit:
		if i := strings.IndexAny(string(t.Bytes), "eE"); i >= 0 && len(t.Bytes)-i-1 > maxExponent {
			return tooDeep("Number too large", "A number's exponent may have four digits at most.", t.Range)
		}
	}
	m.countDirectives(t)
	m.countBrackets(t.Type)
	m.countOperators(t.Type)
	if m.depth+m.unary > maxNesting {
		return tooDeep("Expression nested too deeply", fmt.Sprintf("Expressions and blocks may stand %d deep within each other. %s", maxNesting, nestingLimit), t.Range)
	}
	if m.operators > maxOperators {
		return tooDeep("Expression too long", fmt.Sprintf("An expression may have %d operators and indices at most. %s", maxOperators, nestingLimit), t.Range)
	}
	return nil
}

// countDirectives follows %{ if } and %{ for } to their ends.
func (m *nestingMeter) countDirectives(t hclsyntax.Token) {
	if m.directive && t.Type == hclsyntax.TokenIdent {
		switch string(t.Bytes) {
		case "if", "for":
			m.depth++
		case "endif", "endfor":
			m.depth--
		}
	}
	m.directive = t.Type == hclsyntax.TokenTemplateControl
}

// countBrackets follows what makes a newline part of an expression.
func (m *nestingMeter) countBrackets(t hclsyntax.TokenType) {
	switch t {
	case hclsyntax.TokenOBrack, hclsyntax.TokenOParen:
		m.brackets++
	case hclsyntax.TokenCBrack, hclsyntax.TokenCParen:
		m.brackets--
	}
}

func (m *nestingMeter) countOperators(t hclsyntax.TokenType) {
	switch t {
	case hclsyntax.TokenBang, hclsyntax.TokenMinus:
		m.unary++
		m.operators++
		return
	case hclsyntax.TokenPlus, hclsyntax.TokenStar, hclsyntax.TokenSlash, hclsyntax.TokenPercent,
		hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual,
		hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq,
		hclsyntax.TokenQuestion, hclsyntax.TokenOBrack:
		m.operators++
	case hclsyntax.TokenComma:
		// An element of a list or a call is an expression of its own.
		m.operators = 0
	}
	m.unary = 0
}

// checkJSONNesting counts brackets outside of strings, and looks into the
// templates within strings.
func checkJSONNesting(name string, src []byte) *hcl.Diagnostic {
	depth := 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '"':
			end := stringEnd(src, i)
			if d := checkJSONString(name, src[i:end]); d != nil {
				return d
			}
			i = end - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if depth > maxNesting {
			return tooDeep("JSON nested too deeply", fmt.Sprintf("Objects and arrays may stand %d deep within each other.", maxNesting), fileRange(name))
		}
	}
	return nil
}

// stringEnd returns the offset behind the JSON string that begins at start.
func stringEnd(src []byte, start int) int {
	for i := start + 1; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(src)
}

// checkJSONString checks a string that may hold a template. The place is the
// file's beginning, because JSON escapes move the positions within.
func checkJSONString(name string, quoted []byte) *hcl.Diagnostic {
	var text string
	if !bytes.ContainsAny(quoted, "$%") || json.Unmarshal(quoted, &text) != nil {
		return nil
	}
	d := checkTemplateNesting(name, []byte(text))
	if d != nil {
		start := fileRange(name)
		d.Subject = &start
	}
	return d
}

func tooDeep(summary, detail string, rng hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &rng, Extra: syntaxError{}}
}
