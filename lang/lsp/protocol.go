package lsp

// The parts of the protocol that the server speaks. Names are those of its
// specification.

type (
	position struct {
		Line      int `json:"line"`
		Character int `json:"character"`
	}
	textRange struct {
		Start position `json:"start"`
		End   position `json:"end"`
	}
	location struct {
		URI   string    `json:"uri"`
		Range textRange `json:"range"`
	}
	textEdit struct {
		Range   textRange `json:"range"`
		NewText string    `json:"newText"`
	}
	markup struct {
		Kind  string `json:"kind"`
		Value string `json:"value"`
	}
)

type (
	initializeParams struct {
		RootURI          string            `json:"rootUri"`
		WorkspaceFolders []workspaceFolder `json:"workspaceFolders"`
		Capabilities     capabilities      `json:"capabilities"`
	}
	workspaceFolder struct {
		URI string `json:"uri"`
	}
	capabilities struct {
		General struct {
			PositionEncodings []string `json:"positionEncodings"`
		} `json:"general"`
		TextDocument struct {
			Completion struct {
				CompletionItem struct {
					SnippetSupport bool `json:"snippetSupport"`
				} `json:"completionItem"`
			} `json:"completion"`
		} `json:"textDocument"`
		Workspace struct {
			DidChangeWatchedFiles struct {
				DynamicRegistration bool `json:"dynamicRegistration"`
			} `json:"didChangeWatchedFiles"`
		} `json:"workspace"`
	}
)

type (
	textDocument struct {
		URI     string `json:"uri"`
		Version int    `json:"version"`
		Text    string `json:"text"`
	}
	openParams struct {
		TextDocument textDocument `json:"textDocument"`
	}
	// positionParams are those of all requests about a document.
	positionParams struct {
		TextDocument textDocument `json:"textDocument"`
		Position     position     `json:"position"`
	}
	changeParams struct {
		TextDocument   textDocument `json:"textDocument"`
		ContentChanges []change     `json:"contentChanges"`
	}
	// A change without a range replaces the whole text.
	change struct {
		Range *textRange `json:"range"`
		Text  string     `json:"text"`
	}
	publishParams struct {
		URI         string       `json:"uri"`
		Version     *int         `json:"version,omitempty"`
		Diagnostics []diagnostic `json:"diagnostics"`
	}
	diagnostic struct {
		Range    textRange `json:"range"`
		Severity int       `json:"severity"`
		Source   string    `json:"source"`
		Message  string    `json:"message"`
	}
)

type (
	completionItem struct {
		Label            string    `json:"label"`
		Kind             int       `json:"kind"`
		Detail           string    `json:"detail,omitempty"`
		Documentation    *markup   `json:"documentation,omitempty"`
		SortText         string    `json:"sortText,omitempty"`
		InsertTextFormat int       `json:"insertTextFormat,omitempty"`
		TextEdit         *textEdit `json:"textEdit,omitempty"`
	}
	hover struct {
		Contents markup    `json:"contents"`
		Range    textRange `json:"range"`
	}
	documentSymbol struct {
		Name           string           `json:"name"`
		Detail         string           `json:"detail,omitempty"`
		Kind           int              `json:"kind"`
		Range          textRange        `json:"range"`
		SelectionRange textRange        `json:"selectionRange"`
		Children       []documentSymbol `json:"children,omitempty"`
	}
)

// Kinds of completion items.
const (
	functionItem = 3
	fieldItem    = 5
	variableItem = 6
	moduleItem   = 9
	propertyItem = 10
	valueItem    = 12
	keywordItem  = 14
	structItem   = 22
)

// Kinds of symbols.
const (
	variableSymbol = 13
	objectSymbol   = 19
)

const (
	plainInsert   = 1
	snippetInsert = 2

	errorSeverity   = 1
	warningSeverity = 2
)

// Error codes of the protocol, beside those of JSON-RPC.
const (
	serverNotInitialized = -32002
	requestCancelled     = -32800
)
