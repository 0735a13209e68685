// Package access knows who may do what at a site over the network.
//
// Everybody has a token: 256 random bits, which are shown once when they are
// made. A file keeps their SHA-256, a line for each with the name and the role
// of its owner:
//
//	ada operator sha256:9f86d081884c7d65… 2026-03-01T11:38:05Z
//
// Tokens are random and long, so nobody can guess one from its digest, and a
// slow hash would add nothing. Lines that begin with "#" are kept and mean
// nothing.
//
// A [File] is read again when it has changed: a token that is taken away is
// good for nothing from then on, without a restart.
package access
