// Package lsp is a language server for the configuration language: it speaks the
// Language Server Protocol 3.17 with one editor over a pair of streams.
//
// # Answers
//
// Diagnostics come from an evaluation of the whole project, in which open
// documents stand for the files on the disk. It runs in the background, a little
// after the last change, and its budget is that of package lang, so that no file
// can make the server hang. All other answers come from the document as it
// stands, which may be half written: from its tokens, from what the files
// declare, and from the values of the last evaluation.
//
// Sensitive values are in no answer.
//
// # Failures
//
// What is wrong with a request is the answer to it, a panic included. What is
// wrong with the framing of messages ends the server, since no later message
// could be found.
package lsp
