// Package lang reads the configuration language: the *.floto.hcl files of a
// project folder become a [Config], and everything that is wrong with them
// becomes an hcl.Diagnostic with the place where it stands.
//
// # Evaluation
//
// Every variable, local value, image, image set, root definition and site is a
// node with an address. The references in a node's expressions are the edges of
// the dependency graph; nodes are evaluated in its order, and a cycle is an
// error. Evaluation is a pure function of the project's files, the variables and
// the git state: there is neither a clock nor a network, and the operating
// system is reached only through the fs.FS that the caller hands over.
//
// # Sensitive values
//
// A sensitive value never stands in a diagnostic: neither in its text, nor among
// the values that [WriteDiagnostics] lists, nor in the source lines that it
// shows.
package lang
