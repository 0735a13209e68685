// Package evepb has the messages of EVE-OS that patch envelopes consist of.
//
// eve.proto gives them EVE's field numbers and names under a package name of
// its own, so that a program can hold both. "make generate" makes the Go code.
package evepb
