// Package metadata serves patch envelopes to applications as the metadata
// server of an EVE-OS device does.
//
// A [Server] is an http.Handler. It knows applications by their source address
// and shows each the active envelopes that name it. A [Loader] reads envelopes
// and volumes from files, again whenever they change, and gives the server a
// new [State]. Requests under way go on with the state they began with.
//
// # Clear text
//
// Encrypted blobs are opened for each request anew, in memory. Nothing of them
// is written to disk, and nothing that has not the SHA-256 of its clear text is
// sent. Volumes and archives stream, so that memory does not grow with them.
package metadata
