package lsp

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// A cursor says what stands at an offset of a document. It is found from the
// tokens before the offset alone, so that the document may be half written.
type cursor struct {
	kind   cursorKind
	blocks []header // around the offset, the outermost first
	attr   string   // whose value the offset lies in; empty in none
	path   []string // the reference up to the word, as in var.release
	word   string   // the identifier, or text in quotes, at the offset
	start  int      // of the word
	end    int
	called bool // the word is a function's name
}

// A header is a block's type and labels.
type header struct {
	kind   string
	labels []string
}

type cursorKind int

const (
	nothing    cursorKind = iota
	item                  // a name at the beginning of a line: an attribute or a block
	label                 // a block's label
	expression            // a name in an expression
	text                  // text in quotes in an expression
)

// A level is something that is open at the offset.
type level struct {
	kind   hclsyntax.TokenType // what has opened it; 0 for a body
	header header              // of a body
	line   hclsyntax.Tokens    // of a body: the line so far
}

// A scan goes through the tokens of a document.
type scan struct {
	levels []level
	tokens hclsyntax.Tokens // so far
}

// cursorAt finds the cursor. It looks at no more than the tokens that begin
// before the offset, and the one after them.
func cursorAt(src []byte, offset int) cursor {
	all, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	s := scan{levels: []level{{}}}
	for i, t := range all {
		start, end := t.Range.Start.Byte, t.Range.End.Byte
		switch {
		case t.Type == hclsyntax.TokenComment && start < offset && (offset < end || offset == end && !strings.HasSuffix(string(t.Bytes), "\n")):
			return cursor{}
		case isWord(t) && start <= offset && offset <= end:
			return s.at(t, i+1 < len(all) && all[i+1].Type == hclsyntax.TokenOParen)
		case start >= offset:
			return s.at(emptyWord(offset, s.inText()), false)
		}
		s.token(t)
	}
	return s.at(emptyWord(offset, s.inText()), false)
}

// isWord tells identifiers, and text in quotes.
func isWord(t hclsyntax.Token) bool {
	return t.Type == hclsyntax.TokenIdent || t.Type == hclsyntax.TokenQuotedLit
}

// emptyWord stands where no word has been begun.
func emptyWord(offset int, quoted bool) hclsyntax.Token {
	t := hclsyntax.Token{Type: hclsyntax.TokenIdent, Range: hcl.Range{Start: hcl.Pos{Byte: offset}, End: hcl.Pos{Byte: offset}}}
	if quoted {
		t.Type = hclsyntax.TokenQuotedLit
	}
	return t
}

func (s *scan) top() *level { return &s.levels[len(s.levels)-1] }

func (s *scan) inText() bool { return s.top().kind == hclsyntax.TokenOQuote }

// body is the innermost body.
func (s *scan) body() *level {
	for i := len(s.levels) - 1; i > 0; i-- {
		if s.levels[i].kind == 0 {
			return &s.levels[i]
		}
	}
	return &s.levels[0]
}

// token takes note of a token that lies before the offset.
func (s *scan) token(t hclsyntax.Token) {
	s.tokens = append(s.tokens, t)
	top := s.top()
	switch t.Type {
	case hclsyntax.TokenOBrace:
		if h, ok := blockHeader(top.line); ok && top.kind == 0 {
			s.levels = append(s.levels, level{header: h})
			return
		}
		s.open(t.Type)
	case hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc,
		hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		s.open(t.Type)
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc,
		hclsyntax.TokenTemplateSeqEnd:
		s.close(t.Type)
	case hclsyntax.TokenNewline:
		if top.kind == 0 {
			top.line = nil
		}
		return
	case hclsyntax.TokenComment:
		if top.kind == 0 && strings.HasSuffix(string(t.Bytes), "\n") {
			top.line = nil // the comment has eaten the end of the line
		}
		return
	}
	if b := s.body(); t.Type != hclsyntax.TokenCBrace || b == s.top() {
		b.line = append(b.line, t)
	}
}

func (s *scan) open(kind hclsyntax.TokenType) { s.levels = append(s.levels, level{kind: kind}) }

// close ends the innermost level that the token can end. Levels within it have
// not been closed by who is still writing.
func (s *scan) close(kind hclsyntax.TokenType) {
	opener := map[hclsyntax.TokenType][]hclsyntax.TokenType{
		hclsyntax.TokenCBrace:         {hclsyntax.TokenOBrace, 0},
		hclsyntax.TokenCBrack:         {hclsyntax.TokenOBrack},
		hclsyntax.TokenCParen:         {hclsyntax.TokenOParen},
		hclsyntax.TokenCQuote:         {hclsyntax.TokenOQuote},
		hclsyntax.TokenCHeredoc:       {hclsyntax.TokenOHeredoc},
		hclsyntax.TokenTemplateSeqEnd: {hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl},
	}[kind]
	for i := len(s.levels) - 1; i > 0; i-- {
		if slices.Contains(opener, s.levels[i].kind) {
			s.levels = s.levels[:i]
			return
		}
		if s.levels[i].kind == 0 {
			return // a body is ended by its own brace only
		}
	}
}

// blockHeader reads the tokens before an opening brace as a block's header.
func blockHeader(line hclsyntax.Tokens) (header, bool) {
	if len(line) == 0 || line[0].Type != hclsyntax.TokenIdent {
		return header{}, false
	}
	h := header{kind: string(line[0].Bytes)}
	for _, t := range line[1:] {
		switch t.Type {
		case hclsyntax.TokenIdent, hclsyntax.TokenQuotedLit:
			h.labels = append(h.labels, string(t.Bytes))
		case hclsyntax.TokenOQuote, hclsyntax.TokenCQuote:
		default:
			return header{}, false
		}
	}
	return h, true
}

// at makes the cursor for the word at the offset.
func (s *scan) at(word hclsyntax.Token, called bool) cursor {
	c := cursor{word: string(word.Bytes), start: word.Range.Start.Byte, end: word.Range.End.Byte}
	for _, l := range s.levels[1:] {
		if l.kind == 0 {
			c.blocks = append(c.blocks, l.header)
		}
	}
	line := s.body().line
	if len(line) > 1 && line[1].Type == hclsyntax.TokenEqual {
		c.attr = string(line[0].Bytes)
	}
	quoted := word.Type == hclsyntax.TokenQuotedLit
	switch {
	case s.top().kind == hclsyntax.TokenOHeredoc:
	case c.attr != "" && quoted:
		c.kind = text
	case c.attr != "":
		c.kind, c.called = expression, called
		c.path = append(s.pathBefore(), c.word)
	case len(line) == 0 && !quoted:
		c.kind = item
	case quoted:
		c.kind = label
		if h, ok := blockHeader(line); ok {
			c.blocks = append(c.blocks, h)
		}
	}
	return c
}

// pathBefore reads the reference that the tokens end with, such as var. before
// release.
func (s *scan) pathBefore() []string {
	var out []string
	for i := len(s.tokens) - 1; i > 0 && s.tokens[i].Type == hclsyntax.TokenDot; {
		i--
		if key, n := indexBefore(s.tokens[:i+1]); n > 0 {
			out = append(out, key)
			i -= n
		}
		if i < 0 || s.tokens[i].Type != hclsyntax.TokenIdent {
			return nil // of something else than a reference
		}
		out = append(out, string(s.tokens[i].Bytes))
		i--
	}
	slices.Reverse(out)
	return out
}

// indexBefore reads ["key"] at the end of the tokens, and how many these are.
func indexBefore(t hclsyntax.Tokens) (string, int) {
	n := len(t)
	if n < 5 || t[n-1].Type != hclsyntax.TokenCBrack || t[n-2].Type != hclsyntax.TokenCQuote || t[n-3].Type != hclsyntax.TokenQuotedLit ||
		t[n-4].Type != hclsyntax.TokenOQuote || t[n-5].Type != hclsyntax.TokenOBrack {
		return "", 0
	}
	return string(t[n-3].Bytes), 5
}
