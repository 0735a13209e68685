// Package engine finds or starts the BuildKit that makes images.
//
// Connect gives a BuildKit client for a remote engine (BUILDKIT_HOST or the
// configuration), or for the embedded one: this program, started again in the
// background as "flotobuild engine serve", one for each user, shared by all
// projects, ended by itself when nobody has used it for a while. With
// Options.InProcess the embedded engine runs inside the calling process.
//
// # State
//
// The state folder ($XDG_STATE_HOME/flotobuild/engine) holds the build cache,
// engine.lock (held while an engine runs, on the folder's behalf), engine.json
// (who serves), engine.sock (mode 0600) and engine.log. Deleting the folder of
// a stopped engine costs nothing but the cache.
package engine
